"""What Application Auto Scaling refuses.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
"""

import re
from collections.abc import Mapping
from typing import Any

from local_aws.services.application_autoscaling.errors import invalid, unsupported
from local_aws.services.application_autoscaling.records import DIMENSION, NAMESPACE
from local_aws.services.application_autoscaling.tracking import CPU

Params = Mapping[str, Any]
_RESOURCE = re.compile(r"service/[\w-]+/[\w-]+")
# The message: getmoto/moto#3304.
_UNSUPPORTED = "Unsupported service namespace, resource type or scalable dimension"


def check_resource(params: Params) -> None:
    """Refuse what is no service of ECS: another namespace by name, another resource in AWS's words."""
    if params["ServiceNamespace"] != NAMESPACE:
        raise unsupported(f"ServiceNamespace {params['ServiceNamespace']}")
    if params["ScalableDimension"] != DIMENSION or not _RESOURCE.fullmatch(params["ResourceId"]):
        raise invalid(_UNSUPPORTED)


def check_capacities(smallest: int | None, largest: int | None) -> None:
    """Refuse capacities that are missing or contradict each other; the words of the first are ours."""
    if smallest is None or largest is None:
        raise invalid("MinCapacity and MaxCapacity are required to register a scalable target.")
    if smallest < 0 or largest < 0:
        raise invalid("MinCapacity and MaxCapacity must not be negative.")
    if largest < smallest:
        raise invalid("Maximum capacity cannot be less than minimum capacity")


def check_policy(params: Params) -> None:
    """Refuse every policy but target tracking on CPU or on a metric of one's own; the words are ours."""
    if params.get("PolicyType", "StepScaling") != "TargetTrackingScaling":
        raise unsupported(f"PolicyType {params.get('PolicyType', 'StepScaling')}")
    configuration = params.get("TargetTrackingScalingPolicyConfiguration")
    if configuration is None:
        raise invalid("TargetTrackingScaling requires a TargetTrackingScalingPolicyConfiguration.")
    kinds = [key for key in configuration if key.endswith("MetricSpecification")]
    if len(kinds) != 1:
        raise invalid("Exactly one of predefined and customized metric specification must be given.")
    if configuration["TargetValue"] <= 0:
        raise invalid("TargetValue must be positive.")
    predefined = configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", CPU)
    if predefined != CPU:
        raise unsupported(f"PredefinedMetricType {predefined}")
