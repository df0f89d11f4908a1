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


def stages(templates: Templates) -> dict[str, list[dict[str, Any]]]:
    """Return the actions of each stage, in their order."""
    found = templates.only("AWS::CodePipeline::Pipeline").properties["Stages"]
    return {each["Name"]: sorted(each["Actions"], key=lambda one: int(one["RunOrder"])) for each in found}


def test_without_a_promotion_there_are_three_stages(templates: Templates) -> None:
    counts = {name: len(actions) for name, actions in stages(templates).items()}
    assert counts == {"Source": 1, "Build": 2, "Deploy": 1}


def test_each_promotion_is_a_stage_after_deploy_with_approval_copy_and_release(shared: Templates) -> None:
    """An approval that waits in Deploy would keep later commits from dev (pitfall M6)."""
    found = stages(shared)
    assert list(found) == ["Source", "Build", "Deploy", "Promote-staging", "Promote-prod"]
    assert [action["Name"] for action in found["Deploy"]] == ["Deploy"]
    for environment in ("staging", "prod"):
        actions = found[f"Promote-{environment}"]
        assert [(each["Name"], each["RunOrder"]) for each in actions] == [
            (f"Approve-{environment}", 1),
            (f"Copy-{environment}", 2),
            (f"Deploy-{environment}", 3),
        ]
        kinds = [each["ActionTypeId"]["Provider"] for each in actions]
        assert kinds == ["Manual", "CodeBuild", "CodeDeployToECS"]


def test_a_promotion_releases_the_copy_with_the_other_environments_task_definition(
    shared: Templates,
) -> None:
    """A copy in the other environment's own repository, which no later build expires (pitfall F13)."""
    (here,) = stages(shared)["Deploy"]
    _, copy, staging = stages(shared)["Promote-staging"]
    (copied,) = copy["OutputArtifacts"]
    assert staging["Configuration"] == {
        **here["Configuration"],
        "ApplicationName": "application-staging",
        "DeploymentGroupName": "deployment-group-staging",
        "TaskDefinitionTemplatePath": "taskdef-staging.json",
        "AppSpecTemplatePath": "appspec-staging.yaml",
        "Image1ArtifactName": copied["Name"],
    }
    assert staging["InputArtifacts"] == [*here["InputArtifacts"], copied]
    assert staging["RoleArn"] == "arn:aws:iam::222222222222:role/cross-account-role-staging"


def test_a_copy_names_the_repository_of_the_other_environment_and_the_commit(shared: Templates) -> None:
    (_, copy, _) = stages(shared)["Promote-prod"]
    assert copy["InputArtifacts"] == stages(shared)["Deploy"][0]["InputArtifacts"]
    given = {one["name"]: one["value"] for one in json.loads(copy["Configuration"]["EnvironmentVariables"])}
    assert given["TARGET_REPOSITORY_URI"] == "333333333333.dkr.ecr.us-east-1.amazonaws.com/images-prod"
    assert given["COMMIT"].startswith("#{")
    assert given["COMMIT"].endswith(".CommitId}")


def test_the_build_gets_what_differs_in_each_environment(shared: Templates) -> None:
    variables = shared.only("AWS::CodeBuild::Project", Name="build-dev").properties["Environment"][
        "EnvironmentVariables"
    ]
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
    # Of the image, which is the same in each.
    own -= {"SIGNING_KEY", "SOURCE_URL"}
    assert own <= set(given["prod"])


def test_an_approval_notifies_the_topic_with_a_link_to_the_commit(shared: Templates) -> None:
    approval, *_ = stages(shared)["Promote-staging"]
    topic = shared.only("AWS::SNS::Topic")
    assert plain(approval["Configuration"]["NotificationArn"]) == f"<{topic.id}>"
    assert "/repositories/repository-dev/commit/#{" in approval["Configuration"]["ExternalEntityLink"]
    asked = approval["Configuration"]["CustomData"]
    assert "staging in account 222222222222" in asked
    # What the approver admits is an image.
    _, build = stages(shared)["Build"]
    assert f"#{{{build['Namespace']}.IMAGE_URI}}" in asked
    asks = role(shared, "approval-action-role-dev")
    assert {action for each in statements(asks) for action in each["Action"]} == {
        "sns:Publish",
        "kms:GenerateDataKey",
        "kms:Decrypt",
    }


def test_the_pipeline_may_assume_exactly_the_roles_of_its_promotions(shared: Templates) -> None:
    may = {each["Sid"]: each for each in statements(role(shared, "pipeline-role-dev"))}
    own = "arn:aws:iam::<AWS::AccountId>:role"
    assert set(may["AssumeActionRoles"]["Resource"]) == {
        f"{own}/source-action-role-dev",
        f"{own}/test-action-role-dev",
        f"{own}/build-action-role-dev",
        f"{own}/deploy-action-role-dev",
        f"{own}/approval-action-role-dev",
        f"{own}/copy-action-role-dev",
        "arn:aws:iam::222222222222:role/cross-account-role-staging",
        "arn:aws:iam::333333333333:role/cross-account-role-prod",
    }


def test_no_support_stack_is_made_for_other_accounts() -> None:
    """With both accounts explicit, the CDK's own actions would add one; `templates_of` counts the stacks."""
    templates = templates_of(account="123456789012", promoteTo="staging@222222222222")
    assert list(stages(templates))[2:] == ["Deploy", "Promote-staging"]
