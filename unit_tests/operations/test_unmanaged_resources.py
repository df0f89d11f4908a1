"""What CloudFormation did not create is deleted after the stack."""

from typing import Any

import pytest

from operations import destroy as destroying
from operations.errors import OperationsError
from unit_tests.operations.account_fakes import FakeAccount
from unit_tests.operations.destroy_answers import (
    at_rest,
)

PARAMETERS = (
    "/docker-hub-dev/password",
    *(f"/break-glass-{suffix}/test-traffic-hook" for suffix in ("dev", "dev-2")),
    *(f"/{suffix}/API_KEY" for suffix in ("dev", "dev-2")),
)
POLICIES = ("developer-policy-dev", "developer-policy-dev-2")


@pytest.mark.usefixtures("cdk")
def test_a_task_definition_that_ecs_does_not_delete_is_an_error() -> None:
    arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/task-dev:1"
    account = FakeAccount(
        {
            **at_rest(),
            ("ecs", "list_task_definitions"): {"taskDefinitionArns": [arn]},
            ("ecs", "delete_task_definitions"): {"failures": [{"arn": arn, "reason": "still ACTIVE"}]},
        }
    )
    with pytest.raises(OperationsError, match=r"task-dev:1: still ACTIVE"):
        destroying.destroy("dev", account, lambda _: None)


@pytest.mark.usefixtures("cdk")
def test_the_pipelines_task_definitions_are_deregistered_and_deleted() -> None:
    """CloudFormation deletes only the one that it created (pitfall H5)."""
    arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/"

    def definitions(status: str, **_: Any) -> dict[str, Any]:
        names = {"ACTIVE": ["task-dev:2", "task-dev-2:1"], "INACTIVE": ["task-dev:1"]}[status]
        return {"taskDefinitionArns": [arn + name for name in names]}

    account = FakeAccount({**at_rest(), ("ecs", "list_task_definitions"): definitions})
    destroying.destroy("dev", account, lambda _: None)
    asked = [(operation, arguments) for service, operation, arguments in account.asked if service == "ecs"]
    assert ("deregister_task_definition", {"taskDefinition": "task-dev:2"}) in asked
    assert asked[-1] == ("delete_task_definitions", {"taskDefinitions": ["task-dev:2", "task-dev:1"]})


@pytest.mark.usefixtures("cdk")
def test_only_the_environments_own_parameters_groups_and_queues_are_deleted() -> None:
    report = "arn:aws:codebuild:us-east-1:123456789012:report-group/"
    queues = "https://sqs.us-east-1.amazonaws.com/123456789012/"
    account = FakeAccount(
        {
            **at_rest(),
            ("ssm", "describe_parameters"): {"Parameters": [{"Name": name} for name in PARAMETERS]},
            ("logs", "describe_log_groups"): {
                "logGroups": [{"logGroupName": "/ecs/task-dev"}, {"logGroupName": "/ecs/task-dev-2"}]
            },
            ("logs", "delete_log_group"): {},
            ("codebuild", "list_projects"): {"projects": ["test-dev-2"]},
            ("codebuild", "list_report_groups"): {
                "reportGroups": [f"{report}test-dev-unit-tests", f"{report}test-dev-2-unit-tests"]
            },
            ("sqs", "list_queues"): {
                "QueueUrls": [
                    f"{queues}queue-1a2b-of-notifications-dev",
                    f"{queues}queue-1a2b-of-notifications-dev-2",
                    f"{queues}queue-of-somebody-dev",
                ]
            },
        }
    )
    destroying.destroy("dev", account, lambda _: None)
    deleted = [arguments for _, operation, arguments in account.asked if operation.startswith("delete_")]
    assert deleted == [
        {"Name": "/docker-hub-dev/password"},
        {"Name": "/break-glass-dev/test-traffic-hook"},
        {"Name": "/dev/API_KEY"},
        {"logGroupName": "/ecs/task-dev"},
        {"arn": f"{report}test-dev-unit-tests", "deleteReports": True},
        {"QueueUrl": f"{queues}queue-1a2b-of-notifications-dev"},
    ]


@pytest.mark.usefixtures("cdk")
def test_what_protect_made_is_deleted_and_the_policy_detached_first() -> None:
    arn = "arn:aws:iam::123456789012:policy/developer-policy-dev"
    policies = [{"PolicyName": name, "Arn": f"{arn}{name[20:]}"} for name in POLICIES]
    account = FakeAccount(
        {
            **at_rest(),
            ("codecommit", "list_approval_rule_templates"): {
                "approvalRuleTemplateNames": ["approvals-dev", "approvals-dev-2"]
            },
            ("codecommit", "delete_approval_rule_template"): {},
            ("iam", "list_policies"): {"Policies": policies},
            ("iam", "list_entities_for_policy"): {"PolicyRoles": [{"RoleName": "developers"}]},
            ("iam", "detach_role_policy"): {},
            ("iam", "delete_policy"): {},
        }
    )
    destroying.destroy("dev", account, lambda _: None)
    changed = [call for call in account.asked if call[1].startswith(("delete_", "detach_"))]
    assert changed == [
        ("codecommit", "delete_approval_rule_template", {"approvalRuleTemplateName": "approvals-dev"}),
        ("iam", "detach_role_policy", {"RoleName": "developers", "PolicyArn": arn}),
        ("iam", "delete_policy", {"PolicyArn": arn}),
    ]
