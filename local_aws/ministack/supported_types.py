"""The resource types that are real here. MiniStack creates others as a record behind which nothing runs."""

from collections.abc import Iterable, Mapping
from typing import Any

from local_aws.core.resource_schemas import is_resource_type
from local_aws.ministack.handlers import resource_handlers

# Those that local_aws registers itself.
OURS: set[str] = set()
# Those of MiniStack's that are real.
REAL: Mapping[str, tuple[str, ...]] = {
    "CDK": ("Metadata",),
    "CloudFormation": ("CustomResource", "Stack", "WaitCondition", "WaitConditionHandle"),
    "CloudWatch": ("Dashboard",),
    "DynamoDB": ("Table",),
    "EC2": (
        *("InternetGateway", "Route", "RouteTable", "SecurityGroup", "Subnet", "VPC", "VPCEndpoint"),
        "VPCGatewayAttachment",
    ),
    "Events": ("EventBus", "Rule"),
    "IAM": ("ManagedPolicy", "Policy", "Role", "User"),
    "KMS": ("Alias", "Key"),
    "Lambda": (
        *("Alias", "EventInvokeConfig", "EventSourceMapping", "Function", "LayerVersion"),
        *("LayerVersionPermission", "Permission", "Url", "Version"),
    ),
    "Logs": ("LogGroup", "LogStream", "MetricFilter", "ResourcePolicy", "SubscriptionFilter"),
    "S3": ("Bucket", "BucketPolicy"),
    "SNS": ("Topic", "TopicPolicy"),
    "SQS": ("Queue", "QueuePolicy"),
    "SSM": ("Parameter",),
    "SecretsManager": ("Secret",),
    "Signer": ("ProfilePermission", "SigningProfile"),
}
OF_MINISTACK = frozenset(f"AWS::{service}::{name}" for service, names in REAL.items() for name in names)


def type_violation(resources: Iterable[Any]) -> str | None:
    """Return why local_aws creates none of the types of these resources that it does not have, or None.

    A type that AWS does not have either is left to MiniStack, which has CloudFormation's words for it.
    """
    used = {str(each.get("Type")) for each in resources if isinstance(each, Mapping)}
    missing = sorted(name for name in used if is_resource_type(name) and not _is_supported(name))
    return f"local_aws does not support the resource types [{', '.join(missing)}]" if missing else None


def _is_supported(resource_type: str) -> bool:
    return resource_type in OURS | OF_MINISTACK and resource_type in resource_handlers()
