"""The resource types that are real here. MiniStack creates others as a record behind which nothing runs."""

from collections.abc import Iterable, Mapping
from typing import Any

from local_aws.core.resource_schemas import is_resource_type
from local_aws.ministack.handlers import resource_handlers

REAL: Mapping[str, tuple[str, ...]] = {
    "CDK": ("Metadata",),
    "CloudFormation": ("CustomResource", "Stack", "WaitCondition", "WaitConditionHandle"),
    "CloudWatch": ("Alarm", "Dashboard"),
    "CodeBuild": ("Project", "ReportGroup"),
    "CodeCommit": ("Repository",),
    "CodeDeploy": ("Application", "DeploymentConfig", "DeploymentGroup"),
    "CodePipeline": ("Pipeline",),
    "DynamoDB": ("Table",),
    "EC2": (
        *("EIP", "FlowLog", "InternetGateway", "NatGateway", "Route", "RouteTable", "SecurityGroup"),
        *("SecurityGroupEgress", "SecurityGroupIngress", "Subnet", "SubnetRouteTableAssociation", "VPC"),
        *("VPCEndpoint", "VPCGatewayAttachment"),
    ),
    "ECR": ("Repository",),
    "ECS": ("Cluster", "Service", "TaskDefinition"),
    "ElasticLoadBalancingV2": ("Listener", "ListenerRule", "LoadBalancer", "TargetGroup"),
    "Events": ("EventBus", "Rule"),
    "IAM": ("ManagedPolicy", "OIDCProvider", "Policy", "Role", "User"),
    "KMS": ("Alias", "Key"),
    "Lambda": (
        *("Alias", "EventInvokeConfig", "EventSourceMapping", "Function", "LayerVersion"),
        *("LayerVersionPermission", "Permission", "Url", "Version"),
    ),
    "Logs": ("LogGroup", "LogStream", "MetricFilter", "ResourcePolicy", "SubscriptionFilter"),
    "S3": ("Bucket", "BucketPolicy"),
    "SNS": ("Subscription", "Topic", "TopicPolicy"),
    "SQS": ("Queue", "QueuePolicy"),
    "SSM": ("Parameter",),
    "SecretsManager": ("Secret",),
    "Signer": ("ProfilePermission", "SigningProfile"),
}
SUPPORTED = frozenset(f"AWS::{service}::{name}" for service, names in REAL.items() for name in names)


def type_violation(resources: Iterable[Any]) -> str | None:
    """Return why local_aws creates none of the types of these resources that it does not have, or None.

    A type that AWS does not have either is left to MiniStack, which has CloudFormation's words for it.
    """
    used = {str(each.get("Type")) for each in resources if isinstance(each, Mapping)}
    missing = sorted(name for name in used if is_resource_type(name) and not _is_supported(name))
    return f"local_aws does not support the resource types [{', '.join(missing)}]" if missing else None


def _is_supported(resource_type: str) -> bool:
    return resource_type in SUPPORTED and resource_type in resource_handlers()
