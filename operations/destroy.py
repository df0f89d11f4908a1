"""Takes an environment down: brings it to rest, `cdk destroy`, then what CloudFormation cannot delete."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from operations.account import Account
from operations.deletion_blockers import clear, refuse_shared
from operations.errors import OperationsError
from operations.quiesce import stop_everything
from operations.root_stack import failures, root_stack
from operations.unmanaged_resources import delete, remainders

PROJECT = Path(__file__).resolve().parent.parent
CDK = PROJECT / "node_modules" / ".bin" / "cdk"

Say = Callable[[str], None]


def destroy(
    suffix: str,
    account: Account,
    say: Say,
    *,
    dry_run: bool = False,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> None:
    """Destroy everything of `suffix`; again and again is fine.

    `environment` (default: this process's) is given to the CDK CLI, whose words go to `log` (default: to the
    terminal). Raises `OperationsError` when something could not be deleted, and says what and why; before
    anything is touched when other environments share the network.
    """
    refuse_shared(suffix, account)
    clear(suffix, account, say, dry_run=dry_run)
    stop_everything(suffix, account, say, dry_run=dry_run)
    if dry_run:
        say(f"would destroy stack-{suffix} and everything in it, the commits in repository-{suffix} too")
    else:
        say(f"destroying stack-{suffix}")
        code = _cdk_destroy(suffix, environment or os.environ, log)
        _check_gone(suffix, account, code, log)
    found = list(remainders(suffix, account))
    for remainder in found:
        say(f"{'would delete' if dry_run else 'deleting'} {remainder.kind} {remainder.name}")
    if not dry_run:
        delete(found, account)


def _cdk_destroy(suffix: str, environment: Mapping[str, str], log: Path | None) -> int:
    if not CDK.exists():
        raise OperationsError("the CDK CLI is not installed here: run `make setup`")
    command = [str(CDK), "destroy", "--force", "--no-notices", "-c", f"environmentSuffix={suffix}"]
    # `cdk` is a Node.js program and starts `python3 app.py`: both are in the virtual environment.
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), environment.get("PATH", os.defpath)])
    with log.open("a") if log else nullcontext() as output:
        # A session of its own: a Ctrl-C in a terminal goes to whoever waits for it, and is theirs to judge.
        process = subprocess.Popen(  # noqa: S603 - our own CDK CLI, and a suffix that it checks
            command,
            cwd=PROJECT,
            env={**environment, "PATH": path},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            raise


def _check_gone(suffix: str, account: Account, code: int, log: Path | None) -> None:
    """Raise unless the CLI and CloudFormation agree that the stack is gone; say what is in the way."""
    left = root_stack(suffix, account)
    if not code and left is None:
        return
    state = "is not there"
    if left is not None:
        why = "; ".join(map(str, failures(left["StackId"], account)))
        state = f"is {left['StackStatus']}{f' ({why})' if why else ''}"
    where = f"see {log}" if log else "see above"
    raise OperationsError(
        f"cdk destroy of stack-{suffix} ended with exit code {code}, {where}; the stack {state}: "
        "mend it and run it again"
    )
