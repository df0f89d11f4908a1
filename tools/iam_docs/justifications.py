"""Why a statement may name every resource, or trust a service without naming its source: with AWS's page."""

from __future__ import annotations

from dataclasses import dataclass

_AUTHORIZATION = "https://docs.aws.amazon.com/service-authorization/latest/reference"
_EC2 = f"{_AUTHORIZATION}/list_amazonec2.html"
_LOAD_BALANCING = f"{_AUTHORIZATION}/list_awselasticloadbalancingv2.html"


@dataclass(frozen=True)
class Citation:
    """A reason, and the AWS page that it comes from.

    `disputed` says that AWS's pages contradict each other about it.
    """

    reason: str
    page: str
    disputed: bool = False


# Actions that are allowed on `*`. The check fails on one that is missing here, and on one that nothing uses.
EVERY_RESOURCE = {
    "ecr:GetAuthorizationToken": Citation(
        "It signs in to the account's registry, which has no ARN",
        f"{_AUTHORIZATION}/list_amazonelasticcontainerregistry.html",
    ),
    "ec2:DescribeNetworkInterfaces": Citation("It has no resource", _EC2),
    "ec2:DescribeSubnets": Citation("It has no resource", _EC2),
    "ecs:DescribeTaskDefinition": Citation(
        "It has no resource", f"{_AUTHORIZATION}/list_amazonelasticcontainerservice.html"
    ),
    "ecs:RegisterTaskDefinition": Citation(
        "The policy that AWS gives for this action says `*`, and the service refuses with `on resource: *`; "
        "the authorization reference names task-definition",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html",
        disputed=True,
    ),
    "elasticloadbalancing:DescribeListeners": Citation("It has no resource", _LOAD_BALANCING),
    "elasticloadbalancing:DescribeRules": Citation("It has no resource", _LOAD_BALANCING),
    "elasticloadbalancing:DescribeTargetGroups": Citation("It has no resource", _LOAD_BALANCING),
}

# Actions without a resource in the authorization reference, which AWS's own examples limit all the same.
LIMITED = {
    "codedeploy:PutLifecycleEventHookExecutionStatus": (
        "arn:${Partition}:codedeploy:${Region}:${Account}:deploymentgroup:${Name}",
        Citation(
            "AWS's example of a hook limits it to the deployment group, as the CDK does",
            "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html",
            disputed=True,
        ),
    ),
}

# Confused-deputy conditions that a service does not send, so that a trust must do without them.
WITHOUT_SOURCE = {
    ("lambda.amazonaws.com", "aws:SourceAccount"): Citation(
        "Lambda takes on only the role of a function of the same account",
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    ),
    ("lambda.amazonaws.com", "aws:SourceArn"): Citation(
        "Lambda takes on only the role of a function of the same account",
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    ),
}

# The only roles that anybody may hand on, and to whom (pitfall D7).
PASSED_ROLES = ("execution-role-", "task-role-")
PASSED_TO = "ecs-tasks.amazonaws.com"
