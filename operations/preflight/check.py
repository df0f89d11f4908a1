"""What a check of the account says: fine, worth knowing, or a reason not to deploy yet."""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from operations.account import Account
from operations.root_stack import root_stack

CDK_JSON = Path(__file__).resolve().parents[2] / "cdk.json"


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, what it is like, and what to do about it."""

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Subject:
    """The environment that somebody wants to deploy.

    `github` is None when no workflow will sign in, else "import" or "create": the OIDC provider's origin.
    """

    suffix: str
    account: Account
    github: str | None = None
    settings: Path = CDK_JSON

    @property
    def stack(self) -> str:
        """The root stack's name."""
        return f"stack-{self.suffix}"

    @cached_property
    def networks(self) -> int:
        """How many it makes: none when its service shares another's (`network` of its entry in cdk.json)."""
        services = self._context.get("services", {})
        return 0 if services.get(self._service, {}).get("network") == "shared" else 1

    @cached_property
    def nat_gateways(self) -> int:
        """How many cdk.json gives it; a suffix that has no settings there gets dev's."""
        environments = self._context["environments"]
        own = environments.get(self.suffix.removeprefix(f"{self._service}-"), environments["dev"])
        return int(self._context.get("natGateways", own["natGateways"])) * self.networks

    @cached_property
    def _context(self) -> dict[str, Any]:
        context: dict[str, Any] = json.loads(self.settings.read_text())["context"]
        return context

    @cached_property
    def _service(self) -> str:
        """The longest name of the catalogue that the suffix begins with; none is the sample's."""
        names = [name for name in self._context.get("services", {}) if self.suffix.startswith(f"{name}-")]
        return max(names, key=len, default="")

    @cached_property
    def status(self) -> str | None:
        """The status of the root stack, None when there is none."""
        found = root_stack(self.suffix, self.account)
        return None if found is None else str(found["StackStatus"])


def ok(name: str, found: str) -> Check:
    """Return a finding that needs nothing."""
    return Check(name, Verdict.OK, found)


def warning(name: str, found: str, remedy: str) -> Check:
    """Return a finding that does not keep anybody from deploying."""
    return Check(name, Verdict.WARNING, found, remedy)


def stop(name: str, found: str, remedy: str) -> Check:
    """Return a finding that the deployment would fail on."""
    return Check(name, Verdict.ERROR, found, remedy)
