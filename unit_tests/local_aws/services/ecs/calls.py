"""Calls of ECS that the tests of its refusals share."""

from typing import Any

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.ecs.fakes import CLUSTER, Cloud

INVALID = "InvalidParameterException"
UNSUPPORTED = "UnsupportedOperation"
FAMILY = "task-dev"
SERVICE = {"cluster": CLUSTER, "service": "rolling"}


def rolling(aws: Cloud, **changes: Any) -> dict[str, Any]:
    controller = {"type": "ECS"}
    return aws.create(
        serviceName="rolling", deploymentController=controller, loadBalancers=[], desiredCount=0, **changes
    )


def refused(aws: Cloud, operation: str, **params: Any) -> tuple[str, str]:
    with pytest.raises(AwsError) as caught:
        aws.call(operation, **params)
    return caught.value.code, caught.value.message
