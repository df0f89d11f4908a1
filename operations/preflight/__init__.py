"""Check, before `cdk deploy`, for anything that would fail the deployment midway."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from operations.account import Account
from operations.errors import OperationsError
from operations.preflight import account_checks, advisories, names, network, quotas, setting_checks
from operations.preflight.check import Check, Subject, Verdict, warning

CHECKS: Mapping[str, Callable[[Subject], Iterator[Check]]] = {
    "account": account_checks.region,
    "CDK bootstrap": account_checks.bootstrap,
    "ECS service role": account_checks.service_role,
    "CodeCommit": account_checks.codecommit,
    "GitHub's OIDC provider": account_checks.github,
    "quotas": quotas.quotas,
    "existing VPC": network.existing_vpc,
    "stack": names.stack,
    "names": names.names,
    "Docker Hub": names.docker_hub,
    "secrets": setting_checks.secrets,
    "notifications": setting_checks.notifications,
    "TLS": setting_checks.tls,
    "main": setting_checks.main_branch,
    "approvers": setting_checks.approvers,
    "advisories": advisories.advisories,
}
COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.ERROR: "red"}


@dataclass(frozen=True)
class Preflight:
    """Every finding about one environment."""

    subject: Subject
    checks: tuple[Check, ...]

    @property
    def errors(self) -> tuple[Check, ...]:
        """What a deployment would fail on."""
        return tuple(check for check in self.checks if check.verdict is Verdict.ERROR)

    def as_data(self) -> dict[str, Any]:
        """Return the findings as data for JSON."""
        account = self.subject.account
        return {
            "suffix": self.subject.suffix,
            "account": account.id,
            "region": account.region,
            "ready": not self.errors,
            "checks": [asdict(check) for check in self.checks],
        }


def inspect(subject: Subject) -> Preflight:
    """Run every check; one that AWS denies is a warning.

    Raises `OperationsError` without credentials.
    """
    _ = subject.account.identity
    return Preflight(subject, tuple(check for name in CHECKS for check in _run(name, subject)))


def fix(account: Account) -> str | None:
    """Create the service-linked role of ECS if it is missing; return what was done."""
    if account_checks.has_service_role(account):
        return None
    account.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    return "created ECS's service-linked role"


def _run(name: str, subject: Subject) -> Iterator[Check]:
    try:
        yield from CHECKS[name](subject)
    except (ClientError, OperationsError) as error:
        yield warning(name, f"not checked: {error}", "allow the call, or check it yourself")


def print_report(preflight: Preflight, console: Console) -> None:
    """Print a table of the findings, their remedies, and one line that says whether to deploy."""
    account = preflight.subject.account
    title = f"{preflight.subject.suffix} in account {account.id}, {account.region}"
    table = Table("", "Check", "Found", title=title)
    for check in preflight.checks:
        table.add_row(Text(check.verdict, COLOURS[check.verdict]), check.name, escape(check.found))
    console.print(table)
    for check in preflight.checks:
        if check.remedy:
            console.print(f"{check.name}: {check.remedy}", highlight=False, markup=False, soft_wrap=True)
    count = len(preflight.errors)
    result = f"{count} to fix before cdk deploy" if count else "ready for cdk deploy"
    console.print(f"{preflight.subject.suffix}: {result}", highlight=False)
