"""The members of ECS's requests that local_aws does not act on, refused by name or ignored with a reason.

A unit test compares the tables with the members of botocore's model.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.ecs.errors import invalid_parameter, unsupported

# Member -> the values that have no effect on AWS either. An empty value or False never has one.
# `.` leads to a member of a structure, `[]` to each item of a list.
_DEPLOYMENT: dict[str, tuple[object, ...]] = {
    "deploymentConfiguration.strategy": ("ROLLING",),
    "deploymentConfiguration.bakeTimeInMinutes": (),
    "deploymentConfiguration.lifecycleHooks": (),
    "deploymentConfiguration.linearConfiguration": (),
    "deploymentConfiguration.canaryConfiguration": (),
    "deploymentConfiguration.earlySuccessCriteria": (),
    "deploymentConfiguration.deploymentCircuitBreaker.enable": (),
    "deploymentConfiguration.alarms.enable": (),
}
_PLACEMENT: dict[str, tuple[object, ...]] = {
    "capacityProviderStrategy": (),
    "placementConstraints": (),
    "placementStrategy": (),
}
_BALANCERS: dict[str, tuple[object, ...]] = {
    "loadBalancers[].loadBalancerName": (),
    "loadBalancers[].advancedConfiguration": (),
    "serviceRegistries": (),
}
_SERVICE: dict[str, tuple[object, ...]] = {
    **_DEPLOYMENT,
    **_PLACEMENT,
    **_BALANCERS,
    "serviceConnectConfiguration.enabled": (),
    "volumeConfigurations": (),
    "vpcLatticeConfigurations": (),
    "monitoring": (),
}
UNSUPPORTED: dict[str, dict[str, tuple[object, ...]]] = {
    "CreateCluster": {
        "capacityProviders[]": ("FARGATE", "FARGATE_SPOT"),
        "defaultCapacityProviderStrategy": (),
        "serviceConnectDefaults": (),
    },
    "UpdateCluster": {"serviceConnectDefaults": ()},
    "CreateService": {
        **_SERVICE,
        "launchType": ("FARGATE",),
        "role": (),
        "schedulingStrategy": ("REPLICA",),
    },
    "UpdateService": _SERVICE,
    "CreateTaskSet": {
        "capacityProviderStrategy": (),
        **_BALANCERS,
        "launchType": ("FARGATE",),
    },
    "RunTask": {
        **_PLACEMENT,
        "launchType": ("FARGATE", "EC2"),
        "volumeConfigurations": (),
        "overrides.cpu": (),
        "overrides.memory": (),
        "overrides.executionRoleArn": (),
        "overrides.taskRoleArn": (),
        "overrides.ephemeralStorage": (),
        "overrides.inferenceAcceleratorOverrides": (),
        "overrides.containerOverrides[].cpu": (),
        "overrides.containerOverrides[].memory": (),
        "overrides.containerOverrides[].memoryReservation": (),
        "overrides.containerOverrides[].environmentFiles": (),
        "overrides.containerOverrides[].resourceRequirements": (),
    },
    "ListTasks": {"containerInstance": (), "daemonName": ()},
    "ListServices": {"resourceManagementType": ("CUSTOMER",)},
}
_EVERY_PLATFORM = "The image runs in the same way on every platform version of Fargate."
_NO_ZONES = "The tasks of a machine are in no Availability Zones, between which ECS could move them."
_MANAGED_TAGS = "The tags are for cost allocation, and local_aws costs nothing."
_EXEC = "Only ExecuteCommand reads it, which is UnsupportedOperation."
_RETRIED = "It is for a second call after one without an answer, and every call here has one."
# Member -> why local_aws need not act on it.
IGNORED_WITH_REASON: dict[str, dict[str, str]] = {
    "CreateCluster": {"configuration": _EXEC, "capacityProviders": "Only a strategy of theirs uses them."},
    "UpdateCluster": {"configuration": _EXEC},
    "CreateService": {
        "platformVersion": _EVERY_PLATFORM,
        "availabilityZoneRebalancing": _NO_ZONES,
        "enableECSManagedTags": _MANAGED_TAGS,
        "enableExecuteCommand": _EXEC,
        "clientToken": _RETRIED,
    },
    "UpdateService": {
        "platformVersion": _EVERY_PLATFORM,
        "availabilityZoneRebalancing": _NO_ZONES,
        "enableECSManagedTags": _MANAGED_TAGS,
        "enableExecuteCommand": _EXEC,
    },
    "CreateTaskSet": {"platformVersion": _EVERY_PLATFORM, "clientToken": _RETRIED},
    "RunTask": {
        "platformVersion": _EVERY_PLATFORM,
        "enableECSManagedTags": _MANAGED_TAGS,
        "enableExecuteCommand": _EXEC,
        "referenceId": "It is a label for the caller.",
    },
    "ListTasks": {},
    "ListServices": {},
}


def check_members(operation: str, params: Mapping[str, Any]) -> None:
    """Refuse the members that local_aws does not act on, and those that AWS does not accept together."""
    if params.get("capacityProviderStrategy") and params.get("launchType"):
        # The message: terraform-linters/tflint-ruleset-aws#349.
        raise invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and "
            "try again."
        )
    _check_namespaces(params)
    for path, accepted in UNSUPPORTED.get(operation, {}).items():
        for value in _values(params, path):
            if value and value not in accepted:
                shown = f" {value}" if isinstance(value, str | int) and value is not True else ""
                raise unsupported(
                    f"local_aws does not implement {path.replace('[]', '')}{shown} of {operation}"
                )


def _check_namespaces(params: Mapping[str, Any]) -> None:
    """Refuse the ARN of a namespace: there is none, since local_aws has no Cloud Map.

    A name is another matter: CreateCluster creates the namespace.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ClusterServiceConnectDefaultsRequest.html
    """
    for member in ("serviceConnectDefaults", "serviceConnectConfiguration"):
        namespace = str((params.get(member) or {}).get("namespace", ""))
        if namespace.startswith("arn:"):
            raise AwsError("NamespaceNotFoundException", "The specified namespace arn is not found.")


def _values(value: Mapping[str, Any], path: str) -> Iterator[Any]:
    name, _, rest = path.partition(".")
    found = value.get(name.removesuffix("[]"))
    if found is None:
        return
    for each in found if name.endswith("[]") else [found]:
        if rest:
            yield from _values(each, rest)
        else:
            yield each


def check_launch_type(operation: str, params: Mapping[str, Any]) -> None:
    """Refuse EC2, which is AWS's launch type when a call has none: local_aws has no container instances.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
    The message of RunTask: aws/amazon-ecs-cli#1122.
    """
    if params.get("launchType", "EC2") != "EC2":
        return
    if operation == "RunTask":
        raise invalid_parameter("No Container Instances were found in your cluster.")
    raise unsupported(f"local_aws does not implement launchType EC2, the default of {operation}")
