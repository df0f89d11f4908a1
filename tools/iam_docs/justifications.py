"""Justifications for statements on every resource, and for trust without a source: with AWS's page."""

from __future__ import annotations

from dataclasses import dataclass

_AUTHORIZATION = "https://docs.aws.amazon.com/service-authorization/latest/reference"
_EC2 = f"{_AUTHORIZATION}/list_amazonec2.html"
_LOAD_BALANCING = f"{_AUTHORIZATION}/list_awselasticloadbalancingv2.html"


@dataclass(frozen=True)
class Justification:
    """A reason, and the AWS page for it; `disputed` if pages of AWS contradict each other."""

    reason: str
    page: str
    disputed: bool = False


# Actions that are allowed on `*`. The check fails for a missing entry and for an unused one.
EVERY_RESOURCE = {
    "ecr:GetAuthorizationToken": Justification(
        "It signs in to the account's registry, which has no ARN",
        f"{_AUTHORIZATION}/list_amazonelasticcontainerregistry.html",
    ),
    "ecr-public:GetAuthorizationToken": Justification(
        "It signs in to public ECR, which has no ARN",
        f"{_AUTHORIZATION}/list_amazonelasticcontainerregistrypublic.html",
    ),
    "sts:GetServiceBearerToken": Justification(
        "ecr-public:GetAuthorizationToken needs it, and it supports no resource",
        f"{_AUTHORIZATION}/list_awssecuritytokenservice.html",
    ),
    "codedeploy:StopDeployment": Justification(
        "The authorization reference has no resource, and CodeDeploy's user guide has deploymentgroup: with "
        "the wrong one, the deployment guard could stop nothing",
        f"{_AUTHORIZATION}/list_awscodedeploy.html",
        disputed=True,
    ),
    "cloudformation:BatchDescribeTypeConfigurations": Justification(
        "The user guide requires it for drift detection; the types of AWS have no ARN of this account",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html",
    ),
    "cloudformation:DescribeStackDriftDetectionStatus": Justification(
        "A detection has an id, and no ARN", f"{_AUTHORIZATION}/list_awscloudformation.html"
    ),
    "ec2:DescribeSecurityGroups": Justification("It supports no resource", _EC2),
    "ec2:DescribeNetworkInterfaces": Justification("It supports no resource", _EC2),
    "ec2:DescribeSubnets": Justification("It supports no resource", _EC2),
    "ecs:DescribeTaskDefinition": Justification(
        "It supports no resource", f"{_AUTHORIZATION}/list_amazonelasticcontainerservice.html"
    ),
    # What ECS denies is on `*`: https://github.com/cdklabs/construct-hub/pull/1207
    "ecs:ListTasks": Justification(
        "The authorization reference has container-instance, but Fargate has none: AWS's example has `*` "
        "and a condition with the cluster",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_id-based-policy-examples.html",
        disputed=True,
    ),
    "ecs:RegisterTaskDefinition": Justification(
        "AWS's policy for this pipeline action has `*`, and the service denies with `on resource: *`; "
        "the authorization reference has task-definition",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html",
        disputed=True,
    ),
    "elasticloadbalancing:DescribeListeners": Justification("It supports no resource", _LOAD_BALANCING),
    "elasticloadbalancing:DescribeRules": Justification("It supports no resource", _LOAD_BALANCING),
    "elasticloadbalancing:DescribeTargetGroups": Justification("It supports no resource", _LOAD_BALANCING),
    "elasticloadbalancing:DescribeTargetHealth": Justification("It supports no resource", _LOAD_BALANCING),
}

# Actions without a resource in the authorization reference that AWS's own examples limit nevertheless.
LIMITED = {
    "codedeploy:PutLifecycleEventHookExecutionStatus": (
        "arn:${Partition}:codedeploy:${Region}:${Account}:deploymentgroup:${Name}",
        Justification(
            "AWS's example of a hook limits it to the deployment group, as the CDK does",
            "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html",
            disputed=True,
        ),
    ),
}

# Confused-deputy condition keys that a service does not send, as far as its page says (pitfall D10).
_LAMBDA = Justification(
    "Lambda assumes only the role of a function in the same account",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
)
_EXECUTION_ROLE = Justification(
    "AWS's trust policy for a task execution role has no source; that for a task role has both",
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html",
)
WITHOUT_SOURCE = {
    ("codepipeline.amazonaws.com", "aws:SourceArn"): Justification(
        "No page says that CodePipeline sends the ARN of its pipeline",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-service-role-cli.html",
    ),
    ("ecs-tasks.amazonaws.com", "aws:SourceAccount"): _EXECUTION_ROLE,
    ("ecs-tasks.amazonaws.com", "aws:SourceArn"): _EXECUTION_ROLE,
    ("lambda.amazonaws.com", "aws:SourceAccount"): _LAMBDA,
    ("lambda.amazonaws.com", "aws:SourceArn"): _LAMBDA,
}

_BUILD_KEY = Justification(
    "AWS's policy for a customer managed key allows it to the build role",
    "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-kms.html",
)
# Permissions that AWS's policies have and that no scenario uses. Each may be dropped after a live run shows
# that nothing asks for it.
UNCONFIRMED = {
    "iam:PassRole": Justification(
        "To `ecs.amazonaws.com` too: AWS's policy for this pipeline action has both services",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html",
    ),
    "kms:DescribeKey": _BUILD_KEY,
    "kms:Encrypt": _BUILD_KEY,
    "kms:ReEncryptFrom": _BUILD_KEY,
    "kms:ReEncryptTo": _BUILD_KEY,
    "lambda:InvokeFunction": Justification(
        "On the versions of the hook (`:*`) too: AWS's policy for CodeDeploy covers every function",
        "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForECS.html",
    ),
    "s3:GetBucketAcl": Justification(
        "AWS's policies for the roles of CodeBuild and CodePipeline have it",
        "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html",
    ),
    "s3:GetBucketVersioning": Justification(
        "AWS's policy for the role of CodePipeline has it",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html",
    ),
}

# The only roles that may be passed, and the services that they may be passed to (pitfall D7).
PASSED_ROLES = ("execution-role-", "task-role-")
PASSED_TO = "ecs.amazonaws.com or ecs-tasks.amazonaws.com"
