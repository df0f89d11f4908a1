"""One finding of the preflight: ok, a warning, or an error that the deployment would fail on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from operations.account import Account
from operations.catalogue import CDK_JSON
from operations.names import Names
from operations.preflight.settings import Settings
from operations.root_stack import root_stack


class Verdict(StrEnum):
    """The severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Room:
    """What a limit of the account leaves: `further` environments like this one, beside it."""

    limit: str
    allowed: int
    used: int
    needed: int
    further: int

    @classmethod
    def of(cls, limit: str, allowed: int, used: int, needed: int, *, each: int) -> "Room":
        """Compare what is used and needed now, and what `each` further environment needs, with the limit."""
        return cls(limit, allowed, used, needed, max((allowed - used - needed) // each, 0))

    @property
    def fits(self) -> bool:
        """Whether this environment fits."""
        return self.used + self.needed <= self.allowed

    @property
    def found(self) -> str:
        """The numbers in words."""
        return f"{self.allowed} allowed, {self.used} used, {self.needed} needed"


@dataclass(frozen=True)
class Check:
    """One finding: what was checked, what was found, and what to do about it; `details` are for JSON."""

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""
    details: tuple[Room, ...] = ()


@dataclass(frozen=True)
class Subject:
    """The environment to deploy.

    `github` is None without GitHub Actions, else "import" or "create": where the OIDC provider comes from.
    `context` is what `cdk deploy` gets with `-c`.
    """

    suffix: str
    account: Account
    github: str | None = None
    cdk_json: Path = CDK_JSON
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> Names:
        """The names of its resources."""
        return Names(self.suffix)

    @cached_property
    def settings(self) -> Settings:
        """Its settings in cdk.json, and in the context."""
        return Settings.read(self.suffix, self.cdk_json, self.context)

    @cached_property
    def status(self) -> str | None:
        """The status of the root stack, None when there is none."""
        found = root_stack(self.suffix, self.account)
        return None if found is None else str(found["StackStatus"])


def ok(name: str, found: str, details: tuple[Room, ...] = ()) -> Check:
    """Return a finding that needs nothing."""
    return Check(name, Verdict.OK, found, details=details)


def warning(name: str, found: str, remedy: str) -> Check:
    """Return a finding that does not prevent a deployment."""
    return Check(name, Verdict.WARNING, found, remedy)


def failed(name: str, found: str, remedy: str) -> Check:
    """Return a finding that the deployment would fail on."""
    return Check(name, Verdict.ERROR, found, remedy)
