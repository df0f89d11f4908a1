"""AWS-managed policies: one that is attached grants what it grants on AWS, or is refused."""

import json
from collections.abc import Callable
from typing import Any

from local_aws.ministack import iam as stored

PREFIX = "arn:aws:iam::aws:policy/"
# What the CDK attaches to the role of an ECS deployment group, besides what MiniStack has.
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForECS.html
CODE_DEPLOY_ROLE_FOR_ECS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                *("ecs:DescribeServices", "ecs:CreateTaskSet", "ecs:UpdateServicePrimaryTaskSet"),
                *("ecs:DeleteTaskSet", "elasticloadbalancing:DescribeTargetGroups"),
                *("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:ModifyListener"),
                *("elasticloadbalancing:DescribeRules", "elasticloadbalancing:ModifyRule"),
                *("lambda:InvokeFunction", "cloudwatch:DescribeAlarms", "sns:Publish"),
                *("s3:GetObject", "s3:GetObjectVersion"),
            ],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": "*",
            "Condition": {"StringLike": {"iam:PassedToService": ["ecs-tasks.amazonaws.com"]}},
        },
    ],
}
# The policies of this field that AWS has, and whose documents local_aws does not have.
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
WITHOUT_DOCUMENT = frozenset(
    {
        *("AWSCodeDeployRoleForECSLimited", "service-role/AWSCodeDeployRole", "AWSCodeDeployFullAccess"),
        *("service-role/AWSCodeDeployRoleForLambda", "service-role/AWSCodeDeployRoleForLambdaLimited"),
        *("AWSCodeDeployDeployerAccess", "AWSCodeDeployReadOnlyAccess", "AWSCodePipeline_FullAccess"),
        *("AWSCodePipeline_ReadOnlyAccess", "AWSCodePipelineApproverAccess", "AWSCodeCommitFullAccess"),
        *("AWSCodeCommitPowerUser", "AWSCodeCommitReadOnly", "AWSCodeBuildAdminAccess"),
        *("AWSCodeBuildDeveloperAccess", "AWSCodeBuildReadOnlyAccess", "AmazonECS_FullAccess"),
        *("AmazonEC2ContainerRegistryFullAccess", "AmazonEC2ContainerRegistryPowerUser"),
        *("AmazonEC2ContainerRegistryReadOnly", "AmazonEC2ContainerRegistryPullOnly"),
        *("service-role/AmazonEC2ContainerServiceforEC2Role", "service-role/AmazonEC2ContainerServiceRole"),
        *(
            "service-role/AmazonEC2ContainerServiceAutoscaleRole",
            "service-role/AmazonEC2ContainerServiceEventsRole",
        ),
        *("ElasticLoadBalancingFullAccess", "ElasticLoadBalancingReadOnly", "CloudWatchFullAccess"),
        *("CloudWatchFullAccessV2", "CloudWatchReadOnlyAccess", "CloudWatchEventsFullAccess"),
        *("CloudWatchLogsReadOnlyAccess", "AmazonEventBridgeFullAccess", "AWSLambda_FullAccess"),
        *("AWSLambda_ReadOnlyAccess", "AWSLambdaExecute", "AmazonVPCFullAccess", "AmazonVPCReadOnlyAccess"),
        *("AmazonSSMFullAccess", "AmazonSSMReadOnlyAccess", "SecretsManagerReadWrite", "ViewOnlyAccess"),
        *("AWSKeyManagementServicePowerUser", "AmazonSQSReadOnlyAccess", "AmazonSNSReadOnlyAccess"),
        *("AmazonRDSFullAccess", "AmazonRDSReadOnlyAccess", "AmazonDynamoDBReadOnlyAccess"),
        *("AutoScalingFullAccess", "service-role/AWSConfigRole", "AmazonEC2RoleforSSM", "AWSXrayFullAccess"),
        *("service-role/AmazonECSInfrastructureRolePolicyForLoadBalancers", "job-function/ViewOnlyAccess"),
        *("service-role/AmazonECSInfrastructureRolePolicyForVolumes", "job-function/SystemAdministrator"),
    }
)


class NotAttachableError(ValueError):
    """A policy cannot be attached; `code` and `status` are those of the response."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def patch_managed_policies() -> None:
    """Refuse to attach policies that do not exist, through IAM's API and CloudFormation."""
    iam = stored.iam
    name, document = "AWSCodeDeployRoleForECS", json.dumps(CODE_DEPLOY_ROLE_FOR_ECS)
    iam._aws_managed_policies[PREFIX + name] = iam._make_aws_managed_record(name, document)
    original = iam.attach_managed_policy

    def attach(entity: dict[str, Any], arn: str) -> None:
        check_attachable(arn)
        original(entity, arn)

    iam.attach_managed_policy = attach
    for entity in ("Role", "User", "Group"):
        # CloudFormation calls the function, IAM's API the handler.
        name = f"_attach_{entity.lower()}_policy"
        refusing = _refusing(getattr(iam, name))
        setattr(iam, name, refusing)
        iam._IAM_HANDLERS[f"Attach{entity}Policy"] = refusing


def check_attachable(arn: str) -> None:
    """Raise NotAttachableError unless local_aws has the policy.

    The message: https://github.com/aws/aws-cdk/issues/19830
    """
    if stored.iam._lookup_policy(arn) is not None:
        return
    if arn.removeprefix(PREFIX) in WITHOUT_DOCUMENT:
        raise NotAttachableError("UnsupportedOperation", f"local_aws does not have the policy {arn}", 501)
    raise NotAttachableError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)


def _refusing(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def respond(parameters: Any) -> Any:
        try:
            check_attachable(str(stored.iam._p(parameters, "PolicyArn")))
            return operation(parameters)
        except NotAttachableError as error:
            return stored.iam._error(error.status, error.code, str(error), ns="iam")

    return respond
