"""`python -m integration_tests.down`: destroy what `up` deployed, and stop local_aws."""

import sys

from integration_tests.folders import folder
from integration_tests.interrupts import held_back
from integration_tests.local import cloud_of, find_local_aws
from integration_tests.progress import Progress
from integration_tests.story import Story, StoryError
from integration_tests.up import FOLDER, SUFFIX
from operations.errors import OperationsError


def main() -> int:
    """Destroy, and stop; return 1 when something is left or went wrong meanwhile."""
    written = folder(FOLDER)
    running = find_local_aws(written / "local_aws")
    if running is None:
        print("down: nothing runs")
        return 0
    cloud = cloud_of(running, written)
    failed = 0
    try:
        with held_back("destroying, please wait"):
            Story(cloud, SUFFIX, Progress(print, cloud.factor)).destroy()
    except (StoryError, OperationsError) as error:
        print(f"down: {error}", file=sys.stderr)
        failed = 1
    # Stopped in any case: local_aws keeps nothing that could cost money.
    faults = running.stop()
    for fault in faults:
        print(f"down: local_aws saw a fault: {fault}", file=sys.stderr)
    return 1 if failed or faults else 0


if __name__ == "__main__":
    sys.exit(main())
