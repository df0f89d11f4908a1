"""What a check of the account says: fine, worth knowing, or a reason not to deploy yet."""

from dataclasses import dataclass
from enum import StrEnum

from operations.account import Account


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    STOP = "stop"


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, what it is like, and what to do about it."""

    name: str
    verdict: Verdict
    found: str
    todo: str = ""


@dataclass(frozen=True)
class Subject:
    """The environment that somebody wants to deploy.

    `github` is None when no workflow will sign in, else "import" or "create": the OIDC provider's origin.
    """

    suffix: str
    account: Account
    nat_gateways: int = 1
    github: str | None = None

    @property
    def stack(self) -> str:
        """The root stack's name."""
        return f"stack-{self.suffix}"


def ok(name: str, found: str) -> Check:
    """Return a finding that needs nothing."""
    return Check(name, Verdict.OK, found)


def warning(name: str, found: str, todo: str) -> Check:
    """Return a finding that does not keep anybody from deploying."""
    return Check(name, Verdict.WARNING, found, todo)


def stop(name: str, found: str, todo: str) -> Check:
    """Return a finding that the deployment would fail on."""
    return Check(name, Verdict.STOP, found, todo)
