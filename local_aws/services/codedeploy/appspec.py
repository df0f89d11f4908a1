"""Reads the AppSpec file of an ECS deployment; what CodeDeploy refuses raises `AppSpecError`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

# https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
HOOKS = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")
SERVICE = "AWS::ECS::Service"
_INVALID = (
    "The deployment failed because the AppSpec file that specifies the deployment configuration is missing "
    "or has an invalid configuration."
)
_PROPERTIES = frozenset(
    {
        "TaskDefinition",
        "LoadBalancerInfo",
        "PlatformVersion",
        "NetworkConfiguration",
        "CapacityProviderStrategy",
    }
)


class AppSpecError(ValueError):
    """An AppSpec that CodeDeploy refuses: the deployment fails with INVALID_REVISION and this message."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{_INVALID} {reason}")


@dataclass(frozen=True)
class AppSpec:
    """The contents of an AppSpec file, networks and strategies in the ECS API's shape (lower camel case)."""

    task_definition: str
    container_name: str
    container_port: int
    platform_version: str | None = None
    network_configuration: Mapping[str, Any] | None = None
    capacity_provider_strategy: tuple[Mapping[str, Any], ...] = ()
    hooks: Mapping[str, str] = field(default_factory=dict)


def parse(content: str) -> AppSpec:
    """Read an AppSpec in YAML or JSON."""
    try:
        # An error message would write out aliases of aliases, which takes all memory.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(content, yaml.SafeLoader)):
            raise AppSpecError("local_aws follows no alias in an AppSpec file.")
        document = yaml.safe_load(content)
    except AppSpecError:
        raise
    # PyYAML raises ValueError for a date that does not exist.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise AppSpecError(
            "The input AppSpec file is a not well-formed yaml. The template cannot be parsed."
        ) from error
    top = _mapping(document, "The AppSpec file")
    # CodeDeploy accepts the top-level keys in any case (`Hooks` in its examples, `hooks` in its reference).
    sections = {str(key).lower(): value for key, value in top.items()}
    _only(sections, {"version", "resources", "hooks"}, "the AppSpec file")
    if str(sections.get("version")) not in ("0.0", "0"):
        raise AppSpecError(f"The AppSpec version is {sections.get('version')!r}; it must be 0.0.")
    return _service(_properties(sections.get("resources")), _hooks(sections.get("hooks")))


def check_container(spec: AppSpec, definition: Mapping[str, Any]) -> None:
    """Raise unless a task definition of ECS has the AppSpec's container and port (pitfall B2)."""
    for container in definition["containerDefinitions"]:
        if container["name"] == spec.container_name:
            ports = [mapping.get("containerPort") for mapping in container.get("portMappings", [])]
            if spec.container_port not in ports:
                raise AppSpecError(
                    f"The container {spec.container_name} did not have a container port "
                    f"{spec.container_port} defined."
                )
            return
    raise AppSpecError(f"The container {spec.container_name} does not exist in the task definition.")


def _properties(resources: Any) -> Mapping[str, Any]:
    if not isinstance(resources, list) or len(resources) != 1:
        raise AppSpecError("The AppSpec file must have exactly one resource in its Resources list.")
    entry = _mapping(resources[0], "The resource")
    if len(entry) != 1:
        raise AppSpecError("The AppSpec file must have exactly one resource in its Resources list.")
    (name, resource), *_ = entry.items()
    resource = _mapping(resource, f"The resource {name}")
    _only(resource, {"Type", "Properties"}, f"the resource {name}")
    if resource.get("Type") != SERVICE:
        raise AppSpecError(f"The resource type {resource.get('Type')!r} is not valid: it must be {SERVICE}.")
    properties = _mapping(resource.get("Properties"), f"Properties of {name}")
    _only(properties, _PROPERTIES, f"the properties of {name}")
    return properties


def _service(properties: Mapping[str, Any], hooks: Mapping[str, str]) -> AppSpec:
    definition = properties.get("TaskDefinition")
    if not isinstance(definition, str) or ":task-definition/" not in definition:
        raise AppSpecError(f"The TaskDefinition {definition!r} is not the ARN of a task definition.")
    balancer = _mapping(properties.get("LoadBalancerInfo"), "LoadBalancerInfo")
    _only(balancer, {"ContainerName", "ContainerPort"}, "LoadBalancerInfo")
    name, port = balancer.get("ContainerName"), str(balancer.get("ContainerPort"))
    if not isinstance(name, str) or not port.isdecimal():
        raise AppSpecError("LoadBalancerInfo must have a ContainerName and a ContainerPort that is a number.")
    network = properties.get("NetworkConfiguration")
    version = properties.get("PlatformVersion")
    return AppSpec(
        task_definition=definition,
        container_name=name,
        container_port=int(port),
        platform_version=str(version) if version is not None else None,
        network_configuration=_network(network) if network is not None else None,
        capacity_provider_strategy=_strategy(properties.get("CapacityProviderStrategy")),
        hooks=hooks,
    )


def _network(value: Any) -> Mapping[str, Any]:
    network = _mapping(value, "NetworkConfiguration")
    _only(network, {"AwsvpcConfiguration"}, "NetworkConfiguration")
    vpc = _mapping(network.get("AwsvpcConfiguration"), "AwsvpcConfiguration")
    _only(vpc, {"Subnets", "SecurityGroups", "AssignPublicIp"}, "AwsvpcConfiguration")
    return {"awsvpcConfiguration": {_lower(key): item for key, item in vpc.items()}}


def _strategy(value: Any) -> tuple[Mapping[str, Any], ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise AppSpecError("CapacityProviderStrategy must be a list.")
    items = []
    for item in value:
        entry = _mapping(item, "CapacityProviderStrategy")
        _only(entry, {"Base", "CapacityProvider", "Weight"}, "CapacityProviderStrategy")
        items.append({_lower(key): part for key, part in entry.items()})
    return tuple(items)


def _hooks(value: Any) -> dict[str, str]:
    hooks: dict[str, str] = {}
    if value is None:
        return hooks
    if not isinstance(value, list):
        raise AppSpecError("Hooks must be a list.")
    for item in value:
        entry = _mapping(item, "Hooks")
        _only(entry, set(HOOKS), "Hooks")
        hooks |= {event: str(function) for event, function in entry.items()}
    return hooks


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AppSpecError(f"{what} is missing or not a mapping.")
    return value


def _only(given: Mapping[str, Any], known: set[str] | frozenset[str], what: str) -> None:
    unknown = sorted(str(key) for key in given if key not in known)
    if unknown:
        raise AppSpecError(f"{json.dumps(unknown)} is not known in {what}.")


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
