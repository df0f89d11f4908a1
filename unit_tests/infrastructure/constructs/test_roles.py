"""Least privilege, read from the templates."""

from __future__ import annotations

import pytest

from tools.assembly import Resource
from unit_tests.infrastructure.synthesized import Templates, plain, statements

# Actions that AWS offers for no resource: alarms for all of an account's only, tasks with a condition.
WITHOUT_RESOURCE = {
    "cloudformation:BatchDescribeTypeConfigurations",
    "cloudformation:DescribeStackDriftDetectionStatus",
    "codedeploy:StopDeployment",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ecr:GetAuthorizationToken",
    "ecr-public:GetAuthorizationToken",
    "ecs:DescribeTaskDefinition",
    "ecs:ListTasks",
    "ecs:RegisterTaskDefinition",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetGroups",
    "sts:GetServiceBearerToken",
}
TRUSTED = {
    "task-role-dev": "ecs-tasks.amazonaws.com",
    "execution-role-dev": "ecs-tasks.amazonaws.com",
    "test-role-dev": "codebuild.amazonaws.com",
    "build-role-dev": "codebuild.amazonaws.com",
    "deployment-role-dev": "codedeploy.amazonaws.com",
    "pipeline-role-dev": "codepipeline.amazonaws.com",
    "source-rule-role-dev": "events.amazonaws.com",
    "artifacts-cleaner-role-dev": "lambda.amazonaws.com",
    "default-group-rules-role-dev": "lambda.amazonaws.com",
    "build-retry-role-dev": "lambda.amazonaws.com",
    "deployment-guard-role-dev": "lambda.amazonaws.com",
    "drift-check-role-dev": "lambda.amazonaws.com",
    "image-keeper-role-dev": "lambda.amazonaws.com",
    "settings-guard-role-dev": "lambda.amazonaws.com",
    "test-traffic-hook-role-dev": "lambda.amazonaws.com",
}
# What AWS documents that the service sends, with the page beside each role. Lambda, and ECS for an execution
# role, send nothing.
BOTH = {"aws:SourceAccount", "aws:SourceArn"}
SENT = {
    "task-role-dev": BOTH,
    "test-role-dev": BOTH,
    "build-role-dev": BOTH,
    "deployment-role-dev": BOTH,
    "pipeline-role-dev": {"aws:SourceAccount"},
    "source-rule-role-dev": BOTH,
}
ACTION_ROLES = {f"{action}-action-role-dev" for action in ("source", "test", "build", "deploy")}


def roles(templates: Templates) -> dict[str, Resource]:
    return {role.properties["RoleName"]: role for role in templates.resources("AWS::IAM::Role")}


def actions(role: Resource) -> set[str]:
    return {action for statement in statements(role) for action in statement["Action"]}


def test_the_roles_are_these_and_no_other(templates: Templates) -> None:
    assert set(roles(templates)) == set(TRUSTED) | ACTION_ROLES


def test_no_role_has_a_managed_policy(templates: Templates) -> None:
    for name, role in roles(templates).items():
        assert not role.properties.get("ManagedPolicyArns"), name


def test_no_action_has_a_wildcard(templates: Templates) -> None:
    for name, role in roles(templates).items():
        assert not [action for action in actions(role) if "*" in action], name


def test_only_actions_without_a_resource_are_allowed_on_every_resource(templates: Templates) -> None:
    for name, role in roles(templates).items():
        for statement in statements(role):
            if "*" in statement["Resource"] and statement["Effect"] == "Allow":
                assert set(statement["Action"]) <= WITHOUT_RESOURCE, name


def test_roles_are_passed_to_ecs_alone_and_only_the_two_of_the_task(templates: Templates) -> None:
    passers = {
        name: statement
        for name, role in roles(templates).items()
        for statement in statements(role)
        if "iam:PassRole" in statement["Action"]
    }
    assert set(passers) == {"deploy-action-role-dev", "deployment-role-dev"}
    for statement in passers.values():
        services = ["ecs.amazonaws.com", "ecs-tasks.amazonaws.com"]
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": services}}
        assert len(statement["Resource"]) == 2
        assert ["ExecutionRole" in arn or "TaskRole" in arn for arn in statement["Resource"]] == [True, True]


@pytest.mark.parametrize("name", sorted(TRUSTED))
def test_a_service_is_trusted_only_when_it_acts_for_this_account(templates: Templates, name: str) -> None:
    (trust,) = roles(templates)[name].properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": TRUSTED[name]}
    assert {key for keys in trust.get("Condition", {}).values() for key in keys} == SENT.get(name, set())
    if name in SENT:
        assert plain(trust["Condition"]["StringEquals"]) == {"aws:SourceAccount": "<AWS::AccountId>"}


def test_the_pipelines_trust_requires_no_arn_of_its_pipeline(templates: Templates) -> None:
    """AWS's pages do not say that CodePipeline sends one (pitfall D10)."""
    assert "SourceArn" not in str(
        roles(templates)["pipeline-role-dev"].properties["AssumeRolePolicyDocument"]
    )


@pytest.mark.parametrize("name", sorted(ACTION_ROLES))
def test_an_action_role_is_assumed_by_the_pipeline_role_alone(templates: Templates, name: str) -> None:
    (trust,) = roles(templates)[name].properties["AssumeRolePolicyDocument"]["Statement"]
    pipeline = roles(templates)["pipeline-role-dev"]
    assert plain(trust["Principal"]) == {"AWS": f"<{pipeline.id}.Arn>"}


def test_the_pipeline_role_may_assume_exactly_the_action_roles(templates: Templates) -> None:
    """By name: a reference to the action roles would make a cycle."""
    role = roles(templates)["pipeline-role-dev"]
    (assume,) = [each for each in statements(role) if each["Action"] == ["sts:AssumeRole"]]
    assert set(assume["Resource"]) == {f"arn:aws:iam::<AWS::AccountId>:role/{name}" for name in ACTION_ROLES}


def test_the_task_role_has_no_permissions(templates: Templates) -> None:
    assert not list(statements(roles(templates)["task-role-dev"]))


def test_no_role_may_create_a_log_group(templates: Templates) -> None:
    """A late write would recreate a deleted group (pitfall H2)."""
    for name, role in roles(templates).items():
        assert "logs:CreateLogGroup" not in actions(role), name


def test_the_deployment_role_moves_these_two_listeners_and_this_service(templates: Templates) -> None:
    role = roles(templates)["deployment-role-dev"]
    by_action = {action: each["Resource"] for each in statements(role) for action in each["Action"]}
    assert len(by_action["elasticloadbalancing:ModifyListener"]) == 2
    assert by_action["ecs:CreateTaskSet"] == [
        "arn:aws:ecs:us-east-1:<AWS::AccountId>:service/cluster-dev/service-dev",
        "arn:aws:ecs:us-east-1:<AWS::AccountId>:task-set/cluster-dev/service-dev/*",
    ]


def test_the_role_of_the_tests_reads_the_commit_and_writes_a_log_and_a_report(templates: Templates) -> None:
    """Whatever the commit's code does with it (attack C1)."""
    role = roles(templates)["test-role-dev"]
    assert actions(role) == {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
        "kms:Decrypt",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "codebuild:CreateReport",
        "codebuild:UpdateReport",
        "codebuild:BatchPutTestCases",
    }
    (fetch,) = [each for each in statements(role) if "s3:GetObject" in each["Action"]]
    assert [one.rpartition("/*/")[2] for one in plain(fetch["Resource"])] == ["SourceOutp*"]


@pytest.mark.parametrize(
    ("role", "artifact"), [("source-action-role-dev", "SourceOutp*"), ("build-role-dev", "BuildOutpu*")]
)
def test_an_action_writes_its_own_artifact_only(templates: Templates, role: str, artifact: str) -> None:
    """Another's could be released in its place (attack C6)."""
    (store,) = [each for each in statements(roles(templates)[role]) if "s3:PutObject" in each["Action"]]
    assert [one.rpartition("/*/")[2] for one in plain(store["Resource"])] == [artifact]


def test_the_build_role_does_what_a_build_does_and_no_more(templates: Templates) -> None:
    assert actions(roles(templates)["build-role-dev"]) == {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:PutObject",
        "s3:AbortMultipartUpload",
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
        "kms:Sign",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "ecr:GetAuthorizationToken",
        "ecr-public:GetAuthorizationToken",
        "sts:GetServiceBearerToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
        "ssm:GetParameters",
        "ssm:GetParameter",
    }


def test_the_pipeline_may_inspect_its_bucket_as_awss_policy_has_it(templates: Templates) -> None:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html."""
    bucket = {"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"}
    assert {each for each in actions(roles(templates)["pipeline-role-dev"]) if "Bucket" in each} == bucket


def test_the_deploy_action_registers_releases_and_reads_and_no_more(templates: Templates) -> None:
    assert actions(roles(templates)["deploy-action-role-dev"]) == {
        "codedeploy:GetApplication",
        "codedeploy:GetApplicationRevision",
        "codedeploy:RegisterApplicationRevision",
        "codedeploy:CreateDeployment",
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentConfig",
        "ecs:RegisterTaskDefinition",
        "iam:PassRole",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:GetBucketLocation",
        "kms:Decrypt",
    }
