"""CloudFormation's AWS::ECS types: a service is created once it is stable, and gone once its last task is."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local_aws.core.api import AwsError
from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.services.ecs.state import new_id

if TYPE_CHECKING:
    from local_aws.services.ecs.service import Ecs

# CloudFormation waits three hours (pitfall B1); by the clock, but long enough for real work.
STABLE_AWS_SECONDS = 3 * 3600
SHORTEST_WAIT = 120.0
# Nothing changes after as many tasks that never ran: say why instead of waiting for the end.
HOPELESS = 4

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


class EcsTypes:
    """The handlers of AWS::ECS::Cluster, TaskDefinition and Service."""

    def __init__(self, ecs: "Ecs") -> None:
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
        made = self.ecs.call("CreateCluster", given)["cluster"]
        return name, {"Arn": made["clusterArn"]}

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
        made = self.ecs.call("RegisterTaskDefinition", given)["taskDefinition"]
        return made["taskDefinitionArn"], {"TaskDefinitionArn": made["taskDefinitionArn"]}

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
            # The engine knows no id of a create that failed: what was started must not stay.
            self._delete_service(arn, properties)
            raise
        return arn, {"ServiceArn": arn, "Name": name}

    def _wait_until_stable(self, arn: str) -> None:
        wait = max(self.ecs.context.clock.seconds(STABLE_AWS_SECONDS), SHORTEST_WAIT)
        deadline = time.monotonic() + wait
        service = self.ecs.services[arn]
        while not self.ecs.ending.wait(0.2):
            primary = service.primary()
            sets = service.task_sets
            if primary is None or (len(sets) == 1 and primary.content["stabilityStatus"] == "STEADY_STATE"):
                return
            if primary.failures >= HOPELESS or time.monotonic() > deadline:
                break
        reasons = {
            task.content["stoppedReason"]
            for task in list(self.ecs.tasks.values())
            if task.content["group"] == f"service:{service.name}" and task.content.get("stoppedReason")
        }
        raise AwsError(
            "NotStabilized",
            f'Resource handler returned message: "Exceeded attempts to wait" for {arn}: the service did not '
            f"become stable. Its tasks stopped: {'; '.join(sorted(reasons)) or 'none; they are not healthy'}",
        )

    def _update_service(self, arn: str, old: Properties, new: Properties) -> dict[str, Any]:
        """Send every parameter whatever changed, as CloudFormation's handler does (pitfall C1)."""
        service = self.ecs.services[arn]
        asked = {**new, "Service": service.name}
        members = _members("UpdateService")
        own = {key: value for key, value in asked.items() if key.lower() in members}
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


def _renamed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"Settings" if key == "ClusterSettings" else key: value for key, value in properties.items()}


def _members(operation: str) -> set[str]:
    from local_aws.core.api import service_model

    shape = service_model("ecs").operation_model(operation).input_shape
    return {name.lower() for name in shape.members} if shape is not None else set()
