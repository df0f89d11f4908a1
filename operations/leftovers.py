"""What an account still has of an environment, according to every API."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from operations.account import Account
from operations.errors import OperationsError
from operations.inventory import KINDS
from operations.ownership import Ownership, Resource


@dataclass(frozen=True)
class Leftovers:
    """The resources of one environment that an account still has."""

    suffix: str
    resources: tuple[Resource, ...]
    kinds_checked: int

    @property
    def remaining(self) -> tuple[Resource, ...]:
        """What should not exist, without what AWS deletes later by itself."""
        return tuple(resource for resource in self.resources if resource.remains)

    @property
    def kept_by_aws(self) -> tuple[Resource, ...]:
        """What AWS deletes later by itself."""
        return tuple(resource for resource in self.resources if not resource.remains)

    def as_data(self) -> dict[str, Any]:
        """Return them as data for JSON."""
        names = ("kind", "name", "note", "remains")
        resources = [{name: getattr(each, name) for name in names} for each in self.resources]
        return {"suffix": self.suffix, "kinds_checked": self.kinds_checked, "resources": resources}


def find(suffix: str, account: Account) -> Leftovers:
    """Find what belongs to `suffix`.

    Raises `OperationsError` when an API does not answer: what was not checked cannot be reported as gone.
    """
    ownership = Ownership(suffix)
    resources = (resource for kind in KINDS for resource in _list(kind, account))
    return Leftovers(suffix, tuple(filter(ownership.owns, resources)), len(KINDS))


def _list(kind: str, account: Account) -> Iterator[Resource]:
    try:
        yield from KINDS[kind](account)
    except (BotoCoreError, ClientError) as error:
        raise OperationsError(f"cannot list the {kind}, so some may remain: {error}") from error


def print_report(leftovers: Leftovers, console: Console) -> None:
    """Print a table of the resources, and one line with their number."""
    if leftovers.resources:
        table = Table("Kind", "Name", "State", title=f"Resources of {leftovers.suffix}")
        for one in sorted(leftovers.resources, key=lambda one: (not one.remains, one.kind, one.name)):
            table.add_row(one.kind, one.name, one.note, style=None if one.remains else "dim")
        console.print(table)
    kept = len(leftovers.kept_by_aws)
    pending = f" ({kept} that AWS deletes by itself)" if kept else ""
    count = len(leftovers.remaining)
    checked = f"{leftovers.kinds_checked} kinds of resources checked"
    remain = "resource remains" if count == 1 else "resources remain"
    console.print(f"{count} {remain} of {leftovers.suffix}, {checked}{pending}", highlight=False)
