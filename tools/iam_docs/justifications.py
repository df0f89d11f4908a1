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
    "ec2:DescribeNetworkInterfaces": Justification("It supports no resource", _EC2),
    "ec2:DescribeSubnets": Justification("It supports no resource", _EC2),
    "ecs:DescribeTaskDefinition": Justification(
        "It supports no resource", f"{_AUTHORIZATION}/list_amazonelasticcontainerservice.html"
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

# Confused-deputy condition keys that a service does not send.
WITHOUT_SOURCE = {
    ("lambda.amazonaws.com", "aws:SourceAccount"): Justification(
        "Lambda assumes only the role of a function in the same account",
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    ),
    ("lambda.amazonaws.com", "aws:SourceArn"): Justification(
        "Lambda assumes only the role of a function in the same account",
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    ),
}

# The only roles that may be passed, and the service that they may be passed to (pitfall D7).
PASSED_ROLES = ("execution-role-", "task-role-")
PASSED_TO = "ecs-tasks.amazonaws.com"
