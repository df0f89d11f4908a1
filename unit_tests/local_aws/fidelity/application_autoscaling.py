"""Wrong calls of Application Auto Scaling."""

from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/none/none",
    "ScalableDimension": "ecs:service:DesiredCount",
}
NAMESPACE = {"ServiceNamespace": "ecs"}
ARN = {"ResourceARN": "arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/none"}
METRIC = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
MANY_TAGS = {f"k{number}": "v" for number in range(51)}


def prepare(account: Account) -> Mapping[str, Any]:
    """Register the service of the account."""
    given = {**TARGET, "ResourceId": f"service/cluster/{account.blue_green_service}"}
    found = account.client("application-autoscaling").register_scalable_target(
        **given, MinCapacity=0, MaxCapacity=1
    )
    return {"target": found["ScalableTargetARN"]}


VALID: Mapping[str, Mapping[str, Any]] = {
    "DeleteScalingPolicy": {**TARGET, "PolicyName": "cpu"},
    "DeregisterScalableTarget": TARGET,
    "DescribeScalableTargets": NAMESPACE,
    "DescribeScalingActivities": NAMESPACE,
    "DescribeScalingPolicies": NAMESPACE,
    "ListTagsForResource": ARN,
    "PutScalingPolicy": {
        **TARGET,
        "PolicyName": "cpu",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 50,
            "PredefinedMetricSpecification": METRIC,
        },
    },
    "RegisterScalableTarget": {**TARGET, "MinCapacity": 1, "MaxCapacity": 2},
    "TagResource": {**ARN, "Tags": {"a": "b"}},
    "UntagResource": {**ARN, "TagKeys": ["a"]},
}
WRONG = (
    Wrong("ServiceNamespace", "nope", "ValidationException"),
    Wrong("NextToken", "zz", "InvalidNextTokenException"),
    # The valid calls are about a target that does not exist.
    Wrong("ResourceId", "service/none/none", "ObjectNotFoundException"),
    Wrong("ResourceARN", ARN["ResourceARN"], "ResourceNotFoundException"),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("RegisterScalableTarget", {"MinCapacity": 3, "MaxCapacity": 2}, "ValidationException"),
    ("TagResource", {"ResourceARN": "$target", "Tags": MANY_TAGS}, "TooManyTagsException"),
    ("UntagResource", {"ResourceARN": "$target", "TagKeys": ["k" * 129]}, "ValidationException"),
    ("TagResource", {"Tags": {"k" * 129: "b"}}, "ValidationException"),
)
SUITE = Suite("application-autoscaling", tuple(VALID), VALID, WRONG, CHANGES, prepare)
