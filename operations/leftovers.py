"""What is left of an environment: every API asked, nothing believed."""

from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from operations.account import Account
from operations.errors import OperationsError
from operations.inventory import KINDS
from operations.ownership import Ownership, Thing, suffixes


@dataclass(frozen=True)
class Leftovers:
    """Everything of one environment that an account still holds."""

    suffix: str
    things: tuple[Thing, ...]
    kinds_asked: int

    @property
    def remaining(self) -> tuple[Thing, ...]:
        """What should be gone, without what AWS keeps for a while by design."""
        return tuple(thing for thing in self.things if thing.remains)

    @property
    def kept_by_aws(self) -> tuple[Thing, ...]:
        """What AWS lets go of by itself."""
        return tuple(thing for thing in self.things if not thing.remains)


def find(suffix: str, account: Account) -> Leftovers:
    """Ask every API for what belongs to `suffix`.

    Raises `OperationsError` when one does not answer: what was not looked at cannot be called gone.
    """
    stacks = [thing.name for thing in _ask("CloudFormation stacks", account)]
    ownership = Ownership(suffix, suffixes(stacks))
    things = (thing for kind in KINDS for thing in _ask(kind, account))
    return Leftovers(suffix, tuple(filter(ownership.owns, things)), len(KINDS))


def _ask(kind: str, account: Account) -> Iterator[Thing]:
    try:
        yield from KINDS[kind](account)
    except (BotoCoreError, ClientError) as error:
        raise OperationsError(
            f"cannot look at the {kind}, so nothing can be said about them: {error}"
        ) from error


def tell(leftovers: Leftovers, console: Console) -> None:
    """Print a table of what is left, and one line that says whether anything is."""
    if leftovers.things:
        table = Table("Kind", "Name", "State", title=f"Left of {leftovers.suffix}")
        for thing in sorted(leftovers.things, key=lambda thing: (not thing.remains, thing.kind, thing.name)):
            table.add_row(thing.kind, thing.name, thing.note, style=None if thing.remains else "dim")
        console.print(table)
    kept = len(leftovers.kept_by_aws)
    named = f" ({kept} that AWS lets go of by itself)" if kept else ""
    count = len(leftovers.remaining)
    asked = f"{leftovers.kinds_asked} kinds asked"
    console.print(f"{count} left of {leftovers.suffix}, {asked}{named}", highlight=False)
