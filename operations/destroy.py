"""Destroy an environment: stop what runs, run `cdk destroy`, delete what CloudFormation cannot."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from botocore.exceptions import ClientError

from operations import unmanaged_resources
from operations.account import Account
from operations.deletion_blockers import reject_shared_network, remove_blockers
from operations.errors import OperationsError
from operations.interruptible import run
from operations.quiesce import quiesce
from operations.root_stack import failures, root_stack

PROJECT = Path(__file__).resolve().parent.parent
CDK = PROJECT / "node_modules" / ".bin" / "cdk"

Log = Callable[[str], None]


def destroy(
    suffix: str,
    account: Account,
    log: Log,
    *,
    dry_run: bool = False,
    environment: Mapping[str, str] | None = None,
    cdk_log: Path | None = None,
) -> None:
    """Destroy everything of `suffix`; it can be repeated.

    The CDK CLI gets `environment` (default: that of this process), and writes to `cdk_log` (default: the
    terminal). Raises `OperationsError` with what could not be deleted and why, or, before anything is
    stopped, when other environments use the network.
    """
    reject_shared_network(suffix, account)
    remove_blockers(suffix, account, log, dry_run=dry_run)
    try:
        quiesce(suffix, account, log, dry_run=dry_run)
    except ClientError as error:
        # What costs money must not stay because a call is denied. CloudFormation says what it cannot delete.
        log(f"cannot stop what runs: {error}")
    if dry_run and root_stack(suffix, account) is None:
        log(f"there is no stack-{suffix} to destroy")
    elif dry_run:
        log(f"would destroy stack-{suffix} and everything in it, the commits in repository-{suffix} too")
    else:
        log(f"destroying stack-{suffix}")
        code = _cdk_destroy(suffix, environment or os.environ, cdk_log)
        _check_gone(suffix, account, code, cdk_log)
    found = list(unmanaged_resources.find(suffix, account))
    for resource in found:
        log(f"{'would delete' if dry_run else 'deleting'} {resource.kind} {resource.name}")
    if not dry_run:
        unmanaged_resources.delete(found, account)


def _cdk_destroy(suffix: str, environment: Mapping[str, str], log: Path | None) -> int:
    if not CDK.exists():
        raise OperationsError("the CDK CLI is not installed here: run `make setup`")
    command = [str(CDK), "destroy", "--force", "--no-notices", "-c", f"environmentSuffix={suffix}"]
    # `cdk` is a Node.js program and starts `python3 app.py`: both are in the virtual environment.
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), environment.get("PATH", os.defpath)])
    with log.open("a") if log else nullcontext() as output:
        return run(command, folder=PROJECT, environment={**environment, "PATH": path}, output=output)


def _check_gone(suffix: str, account: Account, code: int, log: Path | None) -> None:
    """Raise unless both the CLI and CloudFormation say that the stack is deleted."""
    left = root_stack(suffix, account)
    if not code and left is None:
        return
    state = "does not exist"
    if left is not None:
        why = "; ".join(map(str, failures(left["StackId"], account)))
        state = f"is {left['StackStatus']}{f' ({why})' if why else ''}"
    where = f"see {log}" if log else "see above"
    raise OperationsError(
        f"cdk destroy of stack-{suffix} ended with exit code {code}, {where}; the stack {state}: "
        "fix that and run it again"
    )
