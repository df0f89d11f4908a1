"""Ask for the name of an environment before it is destroyed, if that is prod or is protected."""

import sys

from operations.account import Account
from operations.errors import OperationsError
from operations.root_stack import root_stack

PRODUCTION = "prod"


def confirm(suffix: str, account: Account, given: str | None = None) -> None:
    """Return if the environment may be destroyed. `given` is the name from the command line.

    Raises `OperationsError` for a wrong name, and without a name when nobody can be asked.
    """
    if given is None and not _needs_confirmation(suffix, account):
        return
    if given is None:
        if not sys.stdin.isatty():
            raise OperationsError(
                f"{suffix} is production or has termination protection, and there is no terminal to ask for "
                f"its name: add --confirm {suffix}"
            )
        # On standard error: standard output may be a document of JSON.
        print(f"Type {suffix} to destroy it: ", end="", file=sys.stderr, flush=True)
        given = input().strip()
    if given != suffix:
        raise OperationsError(f"{given!r} is not the name of the environment, {suffix}: nothing is destroyed")


def is_production(suffix: str) -> bool:
    """Return whether it is prod, of any service: that of another one is SERVICE-prod."""
    return suffix == PRODUCTION or suffix.endswith(f"-{PRODUCTION}")


def _needs_confirmation(suffix: str, account: Account) -> bool:
    if is_production(suffix):
        return True
    stack = root_stack(suffix, account)
    return stack is not None and bool(stack.get("EnableTerminationProtection"))
