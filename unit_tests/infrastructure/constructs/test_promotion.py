"""The approvals and the releases to further environments, in other accounts too."""

from __future__ import annotations

import json
from typing import Any

from unit_tests.infrastructure.synthesized import (
    Templates,
    plain,
    role,
    statements,
    templates_of,
)


def deploy_actions(templates: Templates) -> list[dict[str, Any]]:
    stages = templates.only("AWS::CodePipeline::Pipeline").properties["Stages"]
    assert [stage["Name"] for stage in stages] == ["Source", "Build", "Deploy"]
    return sorted(stages[2]["Actions"], key=lambda action: int(action["RunOrder"]))


def test_each_promotion_is_an_approval_and_a_release_after_the_one_before(shared: Templates) -> None:
    actions = deploy_actions(shared)
    assert [(action["Name"], action["RunOrder"]) for action in actions] == [
        ("Deploy", 1),
        ("Approve-staging", 2),
        ("Deploy-staging", 3),
        ("Approve-prod", 4),
        ("Deploy-prod", 5),
    ]
    kinds = [action["ActionTypeId"]["Provider"] for action in actions]
    assert kinds == ["CodeDeployToECS", "Manual", "CodeDeployToECS", "Manual", "CodeDeployToECS"]


def test_a_promotion_releases_the_same_image_with_the_other_environments_task_definition(
    shared: Templates,
) -> None:
    here, _, staging, _, _ = deploy_actions(shared)
    assert staging["Configuration"] == {
        **here["Configuration"],
        "ApplicationName": "application-staging",
        "DeploymentGroupName": "deployment-group-staging",
        "TaskDefinitionTemplatePath": "taskdef-staging.json",
        "AppSpecTemplatePath": "appspec-staging.yaml",
    }
    assert staging["InputArtifacts"] == here["InputArtifacts"]
    assert staging["RoleArn"] == "arn:aws:iam::222222222222:role/cross-account-role-staging"


def test_the_build_gets_what_differs_in_each_environment(shared: Templates) -> None:
    variables = shared.only("AWS::CodeBuild::Project").properties["Environment"]["EnvironmentVariables"]
    (value,) = [each["Value"] for each in variables if each["Name"] == "PROMOTE_TO"]
    given = json.loads(value)
    assert list(given) == ["staging", "prod"]
    assert given["prod"] == {
        "TASK_FAMILY": "task-prod",
        "TASK_ROLE_ARN": "arn:aws:iam::333333333333:role/task-role-prod",
        "EXECUTION_ROLE_ARN": "arn:aws:iam::333333333333:role/execution-role-prod",
        "TASK_LOG_GROUP": "/ecs/task-prod",
        "TASK_CPU": "512",
        "TASK_MEMORY": "1024",
        "TEST_TRAFFIC_HOOK": "test-traffic-hook-prod",
    }
    # Every variable of the build that names this environment must be overridden for the other.
    own = {
        each["Name"] for each in variables if "dev" in plain(each["Value"]) or "Role" in plain(each["Value"])
    }
    own -= {"PROMOTE_TO", "IMAGE_REPOSITORY_URI", "DOCKER_HUB_USERNAME", "DOCKER_HUB_PASSWORD_PARAMETER"}
    assert own <= set(given["prod"])


def test_an_approval_notifies_the_topic_with_a_link_to_the_commit(shared: Templates) -> None:
    _, approval, *_ = deploy_actions(shared)
    topic = shared.only("AWS::SNS::Topic")
    assert plain(approval["Configuration"]["NotificationArn"]) == f"<{topic.id}>"
    assert "/repositories/repository-dev/commit/#{" in approval["Configuration"]["ExternalEntityLink"]
    assert "staging in account 222222222222" in approval["Configuration"]["CustomData"]
    asks = role(shared, "approval-action-role-dev")
    assert {action for each in statements(asks) for action in each["Action"]} == {
        "sns:Publish",
        "kms:GenerateDataKey",
        "kms:Decrypt",
    }


def test_the_pipeline_may_assume_exactly_the_roles_of_its_promotions(shared: Templates) -> None:
    may = {each["Sid"]: each for each in statements(role(shared, "pipeline-role-dev"))}
    own = "arn:aws:iam::<AWS::AccountId>:role"
    assert set(may["AssumeTheActionRoles"]["Resource"]) == {
        f"{own}/source-action-role-dev",
        f"{own}/build-action-role-dev",
        f"{own}/deploy-action-role-dev",
        f"{own}/approval-action-role-dev",
        "arn:aws:iam::222222222222:role/cross-account-role-staging",
        "arn:aws:iam::333333333333:role/cross-account-role-prod",
    }


def test_no_support_stack_is_made_for_other_accounts() -> None:
    """With both accounts explicit, the CDK's own actions would add one; `templates_of` counts the stacks."""
    templates = templates_of(account="123456789012", promoteTo="staging@222222222222")
    assert [each["RunOrder"] for each in deploy_actions(templates)] == [1, 2, 3]
