"""Destroy an environment: stop what runs, run `cdk destroy`, delete what CloudFormation cannot."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from botocore.exceptions import ClientError

from operations import unmanaged_resources
from operations.account import Account
from operations.cdk_cli import run_cdk
from operations.deletion_blockers import reject_shared_network, remove_blockers
from operations.errors import OperationsError
from operations.quiesce import quiesce
from operations.root_stack import failures, root_stack

Log = Callable[[str], None]


def destroy(
    suffix: str,
    account: Account,
    log: Log,
    *,
    dry_run: bool = False,
    environment: Mapping[str, str] | None = None,
    cdk_log: Path | IO[str] | None = None,
) -> None:
    """Destroy everything of `suffix`; it can be repeated.

    The CDK CLI gets `environment` (default: that of this process), and writes to `cdk_log` (default: the
    terminal). Raises `OperationsError` with what could not be deleted and why, or, before anything is
    stopped, when other environments use the network.
    """
    try:
        reject_shared_network(suffix, account)
    except ClientError as error:
        # As below: CloudFormation refuses to delete a network that is in use.
        log(f"cannot tell whether the network is shared: {error}")
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
        arguments = ("destroy", "--force", "-c", f"environmentSuffix={suffix}")
        code = run_cdk(*arguments, environment=environment or os.environ, log=cdk_log)
        _check_gone(suffix, account, code, cdk_log)
    found = list(unmanaged_resources.find(suffix, account))
    for resource in found:
        log(f"{'would delete' if dry_run else 'deleting'} {resource.kind} {resource.name}")
    if not dry_run:
        unmanaged_resources.delete(found, account)


def _check_gone(suffix: str, account: Account, code: int, log: Path | IO[str] | None) -> None:
    """Raise unless both the CLI and CloudFormation say that the stack is deleted."""
    left = root_stack(suffix, account)
    if not code and left is None:
        return
    state = "does not exist"
    if left is not None:
        why = "; ".join(map(str, failures(left["StackId"], account)))
        state = f"is {left['StackStatus']}{f' ({why})' if why else ''}"
    where = f"see {log}" if isinstance(log, Path) else "see above"
    raise OperationsError(
        f"cdk destroy of stack-{suffix} ended with exit code {code}, {where}; the stack {state}: "
        "fix that and run it again"
    )
