"""Destroys every environment that `up` deployed, and stops local_aws."""

import shutil
import sys
from pathlib import Path

import requests
from botocore.exceptions import BotoCoreError

from harness.cloud import Cloud, HarnessError
from harness.environment import LOG
from harness.folders import folder
from harness.local import find_local_aws, local_cloud
from harness.progress_lines import progress_lines, working
from harness.scenario import Scenario, ScenarioError
from harness.signals import defer_signals
from harness.up import FOLDER
from operations import leftovers
from operations.errors import OperationsError
from operations.inventory.stacks import stacks
from operations.ownership import suffixes


def down() -> int:
    """Destroy the environments and stop local_aws; return 1 if something remains or an error occurred.

    Raises `HarnessError` if local_aws ends meanwhile.
    """
    files = folder(FOLDER)
    server = find_local_aws(files / "local_aws")
    if server is None:
        shutil.rmtree(files / "local_aws", ignore_errors=True)
        print("down: local_aws is not running, and no state remains")
        return 0
    try:
        with defer_signals("destroying, please wait"):
            failed = _destroy_all(local_cloud(server, files), files)
    except (BotoCoreError, requests.RequestException) as error:
        raise HarnessError(
            f"local_aws stopped answering: {error}. Run `make down` again to remove what remains"
        ) from error
    # Whatever failed: nothing on local_aws costs money.
    with working("stopping local_aws"):
        errors = server.stop()
    for found in errors:
        print(f"down: background error in local_aws: {found}", file=sys.stderr)
    if failed or errors:
        return 1
    # With its state, the next local_aws would resume.
    shutil.rmtree(files / "local_aws")
    return 0


def _destroy_all(cloud: Cloud, files: Path) -> bool:
    """Destroy every environment; return whether one of them failed."""
    failed = False
    for suffix in environments(cloud, files):
        try:
            with progress_lines(cloud.time_scale) as progress:
                Scenario(cloud, suffix, progress).destroy()
        except (ScenarioError, OperationsError) as error:
            print(f"down: {suffix}: {error}", file=sys.stderr)
            failed = True
    return failed


def environments(cloud: Cloud, files: Path) -> list[str]:
    """Return the suffixes of the deployed environments, and of failed deployments that left resources.

    The longest come first: the network of `dev` may be shared by `orders-dev`.
    """
    deployed = set(suffixes(stack.name for stack in stacks(cloud.account)))
    attempted = {log.parent.name for log in files.glob(f"*/{LOG}")} - deployed
    found = deployed.union(one for one in attempted if leftovers.find(one, cloud.account).remaining)
    return sorted(found, key=lambda suffix: (-len(suffix), suffix))
