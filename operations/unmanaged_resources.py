"""What CloudFormation did not make in an environment, so does not delete (pitfalls H2, H5, F5, F8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, batches, code_of
from operations.errors import OperationsError

# DeleteTaskDefinitions takes ten.
DEFINITIONS_AT_ONCE = 10
# The templates' own, and where CodeBuild and Lambda would write if nobody told them where.
LOG_GROUPS = (
    "/ecs/task",
    "/codebuild/build",
    "/aws/codebuild/build",
    "/lambda/artifacts-cleaner",
    "/aws/lambda/artifacts-cleaner",
    "/lambda/test-traffic-hook",
    "/aws/lambda/test-traffic-hook",
    "/aws/events/pipeline",
)
NOT_FOUND = frozenset({"ResourceNotFoundException", "ParameterNotFound"})


@dataclass(frozen=True)
class Remainder:
    """One thing to delete: `kind` is also what a person reads."""

    kind: str
    name: str


def remainders(suffix: str, account: Account) -> Iterator[Remainder]:
    """Yield what is there now and would outlive the stack, by its exact name.

    Only exact names: what is found here is deleted, and `dev` must not take what is `dev-2`'s.
    """
    yield from _task_definitions(suffix, account)
    yield from _password(suffix, account)
    yield from _log_groups(suffix, account)
    yield from _report_groups(suffix, account)


def delete(found: list[Remainder], account: Account) -> None:
    """Delete `found`; what is gone already counts as deleted."""
    for remainder in found:
        try:
            _delete_one(remainder, account)
        except ClientError as error:
            if code_of(error) not in NOT_FOUND:
                raise
    definitions = [one.name for one in found if one.kind.endswith("task definition")]
    for some in batches(definitions, DEFINITIONS_AT_ONCE):
        answer = account.client("ecs").delete_task_definitions(taskDefinitions=some)
        if failed := answer.get("failures"):
            why = "; ".join(f"{one['arn'].rpartition('/')[2]}: {one.get('reason')}" for one in failed)
            raise OperationsError(f"ECS did not delete every task definition ({why}): run it again later")


def _delete_one(remainder: Remainder, account: Account) -> None:
    match remainder.kind:
        case "active task definition":
            # Only a deregistered one can be deleted.
            account.client("ecs").deregister_task_definition(taskDefinition=remainder.name)
        case "SSM parameter":
            account.client("ssm").delete_parameter(Name=remainder.name)
        case "log group":
            account.client("logs").delete_log_group(logGroupName=remainder.name)
        case "report group":
            account.client("codebuild").delete_report_group(arn=remainder.name, deleteReports=True)


def _task_definitions(suffix: str, account: Account) -> Iterator[Remainder]:
    family = f"task-{suffix}"
    for status in ("ACTIVE", "INACTIVE"):
        found = account.pages(
            "ecs", "list_task_definitions", "taskDefinitionArns", familyPrefix=family, status=status
        )
        # A prefix, says ECS: `task-dev` finds `task-dev-2` as well.
        names = (arn.rpartition("/")[2] for arn in found)
        for name in names:
            if name.partition(":")[0] == family:
                yield Remainder(f"{status.lower()} task definition", name)


def _password(suffix: str, account: Account) -> Iterator[Remainder]:
    name = f"/docker-hub-{suffix}/password"
    wanted: list[dict[str, Any]] = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    for found in account.pages("ssm", "describe_parameters", "Parameters", ParameterFilters=wanted):
        if found["Name"] == name:
            yield Remainder("SSM parameter", name)


def log_groups(suffix: str) -> tuple[str, ...]:
    """Name every log group that the environment writes to; a unit test compares with the templates."""
    return tuple(f"{name}-{suffix}" for name in LOG_GROUPS)


def _log_groups(suffix: str, account: Account) -> Iterator[Remainder]:
    """Yield the groups that late writers may have made again after the stack deleted them."""
    for name in log_groups(suffix):
        for group in account.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name):
            if group["logGroupName"] == name:
                yield Remainder("log group", name)


def _report_groups(suffix: str, account: Account) -> Iterator[Remainder]:
    """Yield the groups named `{project}-{key of the buildspec}`, which names no other project's."""
    project = f"build-{suffix}"
    projects = list(account.pages("codebuild", "list_projects", "projects"))
    for arn in account.pages("codebuild", "list_report_groups", "reportGroups"):
        name = arn.rpartition("/")[2]
        longer = (other for other in projects if len(other) > len(project))
        if name.startswith(f"{project}-") and not any(name.startswith(f"{other}-") for other in longer):
            yield Remainder("report group", arn)
