"""CloudFormation's AWS::ECS resource types: Cluster, TaskDefinition and Service."""

import time
from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError, service_model
from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.services.ecs.records import EcsService
from local_aws.services.ecs.state import EcsState, new_id

# CloudFormation waits three hours (pitfall B1). The clock scales them, but tasks need real time to start.
STABLE_AWS_SECONDS = 3 * 3600
SHORTEST_WAIT = 120.0
# After this many failed tasks the service does not become stable: fail at once, with the reason.
MOST_FAILURES = 4

_DEFINITION_PROPERTIES = frozenset(
    {
        "ContainerDefinitions",
        "Cpu",
        "EphemeralStorage",
        "ExecutionRoleArn",
        "Family",
        "InferenceAccelerators",
        "IpcMode",
        "Memory",
        "NetworkMode",
        "PidMode",
        "PlacementConstraints",
        "ProxyConfiguration",
        "RequiresCompatibilities",
        "RuntimePlatform",
        "TaskRoleArn",
        "Volumes",
        "EnableFaultInjection",
    }
)
_SERVICE_REPLACED = frozenset(
    {"Cluster", "LaunchType", "Role", "SchedulingStrategy", "ServiceName", "DeploymentController"}
)


class EcsResourceTypes:
    """The handlers of AWS::ECS::Cluster, TaskDefinition and Service."""

    def __init__(self, ecs: EcsState) -> None:
        self.ecs = ecs

    def types(self) -> dict[str, ResourceType]:
        """Return the types by name."""
        cluster = ResourceType(
            self._create_cluster, self._delete_cluster, self._update_cluster, frozenset({"ClusterName"})
        )
        definition = ResourceType(
            self._create_definition, self._delete_definition, self._update_tags, _DEFINITION_PROPERTIES
        )
        service = ResourceType(
            self._create_service, self._delete_service, self._update_service, _SERVICE_REPLACED
        )
        return {
            "AWS::ECS::Cluster": cluster,
            "AWS::ECS::TaskDefinition": definition,
            "AWS::ECS::Service": service,
        }

    # Clusters

    def _create_cluster(
        self, properties: Properties, logical_id: str, stack: str
    ) -> tuple[str, dict[str, Any]]:
        name = properties.get("ClusterName") or f"{stack}-{logical_id}-{new_id()[:12]}"
        known = self.ecs.clusters.get(name)
        if known is not None and known["status"] == "ACTIVE":
            raise AwsError(
                "AlreadyExists",
                f"Resource of type 'AWS::ECS::Cluster' with identifier '{name}' already exists.",
            )
        given = arguments("ecs", "CreateCluster", _renamed({**properties, "ClusterName": name}))
        created = self.ecs.call("CreateCluster", given)["cluster"]
        return name, {"Arn": created["clusterArn"]}

    def _update_cluster(self, name: str, old: Properties, new: Properties) -> dict[str, Any]:
        own = {key: value for key, value in _renamed(new).items() if key in ("Settings", "Configuration")}
        if own:
            self.ecs.call("UpdateCluster", arguments("ecs", "UpdateCluster", {**own, "Cluster": name}))
        arn = self.ecs.clusters[name]["clusterArn"]
        self._update_tags(arn, old, new)
        return {"Arn": arn}

    def _delete_cluster(self, name: str, properties: Properties) -> None:
        known = self.ecs.clusters.get(name)
        if known is not None and known["status"] == "ACTIVE":
            self.ecs.call("DeleteCluster", {"cluster": name})

    # Task definitions

    def _create_definition(
        self, properties: Properties, logical_id: str, stack: str
    ) -> tuple[str, dict[str, Any]]:
        family = properties.get("Family") or f"{stack}{logical_id}{new_id()[:8]}"
        given = arguments("ecs", "RegisterTaskDefinition", {**properties, "Family": family})
        created = self.ecs.call("RegisterTaskDefinition", given)["taskDefinition"]
        return created["taskDefinitionArn"], {"TaskDefinitionArn": created["taskDefinitionArn"]}

    def _delete_definition(self, arn: str, properties: Properties) -> None:
        known = self.ecs.definitions.get(arn.rpartition("/")[2])
        if known is not None and known["status"] == "ACTIVE":
            self.ecs.call("DeregisterTaskDefinition", {"taskDefinition": arn})

    def _update_tags(self, arn: str, old: Properties, new: Properties) -> dict[str, Any]:
        gone = {tag["Key"] for tag in old.get("Tags") or []} - {tag["Key"] for tag in new.get("Tags") or []}
        if gone:
            self.ecs.call("UntagResource", {"resourceArn": arn, "tagKeys": sorted(gone)})
        tags = [{"key": tag["Key"], "value": str(tag.get("Value", ""))} for tag in new.get("Tags") or []]
        if tags:
            self.ecs.call("TagResource", {"resourceArn": arn, "tags": tags})
        return {"TaskDefinitionArn": arn}

    # Services

    def _create_service(
        self, properties: Properties, logical_id: str, stack: str
    ) -> tuple[str, dict[str, Any]]:
        name = properties.get("ServiceName") or f"{stack}-{logical_id}-{new_id()[:12]}"
        given = arguments("ecs", "CreateService", {**properties, "ServiceName": name})
        arn = self.ecs.call("CreateService", given)["service"]["serviceArn"]
        try:
            self._wait_until_stable(arn)
        except AwsError:
            # CloudFormation has no physical id of a create that failed, so it cannot delete the service.
            self._delete_service(arn, properties)
            raise
        return arn, {"ServiceArn": arn, "Name": name}

    def _wait_until_stable(self, arn: str) -> None:
        wait = max(self.ecs.context.clock.seconds(STABLE_AWS_SECONDS), SHORTEST_WAIT)
        deadline = time.monotonic() + wait
        service = self.ecs.services[arn]
        while not self.ecs.ending.wait(0.2):
            if _is_stable(service):
                return
            primary = service.primary()
            if time.monotonic() > deadline or (primary and primary.failures >= MOST_FAILURES):
                break
        reasons = "; ".join(self._stopped_reasons(service)) or "none; they are not healthy"
        raise AwsError(
            "NotStabilized",
            f'Resource handler returned message: "Exceeded attempts to wait" for {arn}: the service did not '
            f"become stable. Its tasks stopped: {reasons}",
        )

    def _stopped_reasons(self, service: EcsService) -> list[str]:
        tasks = [task.content for task in list(self.ecs.tasks.values())]
        own = [task for task in tasks if task["group"] == f"service:{service.name}"]
        return sorted({task["stoppedReason"] for task in own if task.get("stoppedReason")})

    def _update_service(self, arn: str, old: Properties, new: Properties) -> dict[str, Any]:
        """Send every parameter whatever changed, as CloudFormation's handler does (pitfall C1)."""
        service = self.ecs.services[arn]
        given = {**new, "Service": service.name}
        members = _members("UpdateService")
        own = {key: value for key, value in given.items() if key.lower() in members}
        arguments("ecs", "CreateService", new)
        self.ecs.call("UpdateService", arguments("ecs", "UpdateService", own))
        self._update_tags(arn, old, new)
        self._wait_until_stable(arn)
        return {"ServiceArn": arn, "Name": service.name}

    def _delete_service(self, arn: str, properties: Properties) -> None:
        service = self.ecs.services.get(arn)
        if service is None or service.content["status"] == "INACTIVE":
            return
        if service.active:
            cluster = service.content["clusterArn"]
            self.ecs.call("DeleteService", {"cluster": cluster, "service": service.name, "force": True})
        while service.content["status"] != "INACTIVE" and not self.ecs.ending.wait(0.1):
            pass


def _is_stable(service: EcsService) -> bool:
    primary = service.primary()
    return primary is None or (len(service.task_sets) == 1 and primary.steady)


def _renamed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"Settings" if key == "ClusterSettings" else key: value for key, value in properties.items()}


def _members(operation: str) -> set[str]:
    shape = service_model("ecs").operation_model(operation).input_shape
    return {name.lower() for name in shape.members} if shape is not None else set()
