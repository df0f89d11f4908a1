"""`python -m harness.down`: destroy what `up` deployed, and stop local_aws."""

import shutil
import sys
from pathlib import Path

from harness.cloud import Cloud
from harness.environment import LOG
from harness.folders import folder
from harness.interrupts import defer_signals
from harness.local import cloud_of, find_local_aws
from harness.progress import Progress
from harness.scenario import Scenario, ScenarioError
from harness.up import FOLDER
from operations import leftovers
from operations.errors import OperationsError
from operations.inventory.stacks import stacks
from operations.ownership import suffixes


def main() -> int:
    """Destroy, and stop; return 1 when something is left or went wrong meanwhile."""
    written = folder(FOLDER)
    running = find_local_aws(written / "local_aws")
    if running is None:
        shutil.rmtree(written / "local_aws", ignore_errors=True)
        print("down: nothing runs, and nothing is kept")
        return 0
    cloud = cloud_of(running, written)
    failed = 0
    with defer_signals("destroying, please wait"):
        for suffix in environments(cloud, written):
            try:
                Scenario(cloud, suffix, Progress(print, cloud.time_scale)).destroy()
            except (ScenarioError, OperationsError) as error:
                print(f"down: {suffix}: {error}", file=sys.stderr)
                failed = 1
    # Stopped in any case: local_aws keeps nothing that could cost money.
    faults = running.stop()
    for fault in faults:
        print(f"down: local_aws saw a fault: {fault}", file=sys.stderr)
    if failed or faults:
        return 1
    # Else it would go on where it ended.
    shutil.rmtree(written / "local_aws")
    return 0


def environments(cloud: Cloud, written: Path) -> list[str]:
    """Return the suffixes of all that is deployed, and of what `up` tried if it left something.

    The longest first: `orders-dev` may stand in the network of `dev`.
    """
    deployed = set(suffixes(stack.name for stack in stacks(cloud.account)))
    tried = {log.parent.name for log in written.glob(f"*/{LOG}")} - deployed
    found = deployed.union(one for one in tried if leftovers.find(one, cloud.account).remaining)
    return sorted(found, key=lambda suffix: (-len(suffix), suffix))


if __name__ == "__main__":
    sys.exit(main())
