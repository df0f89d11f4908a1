"""Resources that CloudFormation did not create, so does not delete (pitfalls F5, F8, H2, H5)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, batches, code_of
from operations.errors import OperationsError
from operations.names import Names, approval_rule, developer_policy
from operations.stored_variables import owned

# DeleteTaskDefinitions takes ten.
DEFINITIONS_AT_ONCE = 10
# Those of the templates, and the defaults of CodeBuild and Lambda.
LOG_GROUPS = (
    "/ecs/task",
    "/codebuild/test",
    "/aws/codebuild/test",
    "/codebuild/build",
    "/aws/codebuild/build",
    "/codebuild/promotion",
    "/aws/codebuild/promotion",
    "/lambda/artifacts-cleaner",
    "/aws/lambda/artifacts-cleaner",
    "/lambda/access-logs-cleaner",
    "/aws/lambda/access-logs-cleaner",
    "/lambda/default-group-rules",
    "/aws/lambda/default-group-rules",
    "/lambda/settings-guard",
    "/aws/lambda/settings-guard",
    "/lambda/scaling-suspender",
    "/aws/lambda/scaling-suspender",
    "/lambda/test-traffic-hook",
    "/aws/lambda/test-traffic-hook",
    "/lambda/deployment-guard",
    "/aws/lambda/deployment-guard",
    "/lambda/build-retry",
    "/aws/lambda/build-retry",
    "/lambda/drift-check",
    "/aws/lambda/drift-check",
    "/lambda/image-keeper",
    "/aws/lambda/image-keeper",
    "/aws/events/pipeline",
    "/vpc/flow-logs",
)
NOT_FOUND = frozenset(
    {"ResourceNotFoundException", "ParameterNotFound", "AWS.SimpleQueueService.NonExistentQueue"}
)


@dataclass(frozen=True)
class UnmanagedResource:
    """One resource to delete."""

    kind: str
    name: str


def find(suffix: str, account: Account) -> Iterator[UnmanagedResource]:
    """Yield what exists and would remain after the stack.

    It is found by its exact name: `dev` must not delete what belongs to `dev-2`.
    """
    yield from _task_definitions(suffix, account)
    yield from _parameters(suffix, account)
    yield from _log_groups(suffix, account)
    yield from _report_groups(suffix, account)
    yield from _queues(suffix, account)
    yield from _protection(suffix, account)


def delete(found: list[UnmanagedResource], account: Account) -> None:
    """Delete `found`; what does not exist any more is ignored."""
    for resource in found:
        try:
            _delete_one(resource, account)
        except ClientError as error:
            if code_of(error) not in NOT_FOUND:
                raise
    definitions = [one.name for one in found if one.kind.endswith("task definition")]
    for some in batches(definitions, DEFINITIONS_AT_ONCE):
        answer = account.client("ecs").delete_task_definitions(taskDefinitions=some)
        if failed := answer.get("failures"):
            why = "; ".join(f"{one['arn'].rpartition('/')[2]}: {one.get('reason')}" for one in failed)
            raise OperationsError(f"ECS did not delete every task definition ({why}): run it again later")


def _delete_one(resource: UnmanagedResource, account: Account) -> None:
    match resource.kind:
        case "active task definition":
            # Only a deregistered one can be deleted.
            account.client("ecs").deregister_task_definition(taskDefinition=resource.name)
        case "SSM parameter":
            account.client("ssm").delete_parameter(Name=resource.name)
        case "log group":
            account.client("logs").delete_log_group(logGroupName=resource.name)
        case "report group":
            account.client("codebuild").delete_report_group(arn=resource.name, deleteReports=True)
        case "approval rule template":
            account.client("codecommit").delete_approval_rule_template(approvalRuleTemplateName=resource.name)
        case "IAM policy":
            _delete_policy(resource.name, account)
        case "SQS queue":
            account.client("sqs").delete_queue(QueueUrl=resource.name)


def _delete_policy(arn: str, account: Account) -> None:
    iam = account.client("iam")
    for role in account.pages("iam", "list_entities_for_policy", "PolicyRoles", PolicyArn=arn):
        iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)


def _task_definitions(suffix: str, account: Account) -> Iterator[UnmanagedResource]:
    family = Names(suffix).task_family
    for status in ("ACTIVE", "INACTIVE"):
        found = account.pages(
            "ecs", "list_task_definitions", "taskDefinitionArns", familyPrefix=family, status=status
        )
        # It is a prefix: `task-dev` finds `task-dev-2` as well.
        names = (arn.rpartition("/")[2] for arn in found)
        for name in names:
            if name.partition(":")[0] == family:
                yield UnmanagedResource(f"{status.lower()} task definition", name)


def _parameters(suffix: str, account: Account) -> Iterator[UnmanagedResource]:
    """Yield the password, which a person creates, and what `break-glass` and `secrets` created."""
    names = [Names(suffix).docker_hub_password, Names(suffix).break_glass]
    wanted: list[dict[str, Any]] = [{"Key": "Name", "Option": "Equals", "Values": names}]
    for found in account.pages("ssm", "describe_parameters", "Parameters", ParameterFilters=wanted):
        if found["Name"] in names:
            yield UnmanagedResource("SSM parameter", found["Name"])
    for name in owned(suffix, account):
        yield UnmanagedResource("SSM parameter", name)


def log_groups(suffix: str) -> tuple[str, ...]:
    """Return every log group of an environment; a unit test compares with the templates."""
    return (*(f"{name}-{suffix}" for name in LOG_GROUPS), Names(suffix).insights_log_group)


def _log_groups(suffix: str, account: Account) -> Iterator[UnmanagedResource]:
    """Yield the groups that a late write may have recreated after the stack was deleted."""
    for name in log_groups(suffix):
        for group in account.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name):
            if group["logGroupName"] == name:
                yield UnmanagedResource("log group", name)


def _report_groups(suffix: str, account: Account) -> Iterator[UnmanagedResource]:
    """Yield the groups named `{project}-{key in buildspec.yml}`, without those of longer project names."""
    project = Names(suffix).test_project
    projects = list(account.pages("codebuild", "list_projects", "projects"))
    for arn in account.pages("codebuild", "list_report_groups", "reportGroups"):
        name = arn.rpartition("/")[2]
        longer = (other for other in projects if len(other) > len(project))
        if name.startswith(f"{project}-") and not any(name.startswith(f"{other}-") for other in longer):
            yield UnmanagedResource("report group", arn)


def _queues(suffix: str, account: Account) -> Iterator[UnmanagedResource]:
    """Yield the queues that interrupted scenarios subscribed to the topic."""
    for url in account.pages("sqs", "list_queues", "QueueUrls", QueueNamePrefix="queue-"):
        if re.search(rf"/queue-[0-9a-f]+-of-{re.escape(Names(suffix).topic)}$", url):
            yield UnmanagedResource("SQS queue", url)


def _protection(suffix: str, account: Account) -> Iterator[UnmanagedResource]:
    """Yield what `operations protect` created."""
    rule, developers = approval_rule(suffix), developer_policy(suffix)
    templates = account.pages("codecommit", "list_approval_rule_templates", "approvalRuleTemplateNames")
    if rule in templates:
        yield UnmanagedResource("approval rule template", rule)
    for policy in account.pages("iam", "list_policies", "Policies", Scope="Local"):
        if policy["PolicyName"] == developers:
            yield UnmanagedResource("IAM policy", policy["Arn"])
