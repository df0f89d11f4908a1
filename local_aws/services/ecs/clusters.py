"""ECS's operations on clusters and on tags."""

from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.ecs.errors import cluster_not_found, invalid_parameter
from local_aws.services.ecs.serializers import describe_cluster, missing
from local_aws.services.ecs.state import EcsState, Params

_KEPT = ("capacityProviders", "defaultCapacityProviderStrategy", "configuration", "serviceConnectDefaults")


class ClusterOperations(EcsState):
    """Operations on clusters and tags."""

    def create_cluster(self, params: Params) -> dict[str, Any]:
        """Create a cluster; one that exists is returned as it is."""
        self.create_service_linked_role()
        name = params.get("clusterName", "default")
        known = self.clusters.get(name)
        if known is None or known["status"] != "ACTIVE":
            arn = self.context.arn("ecs", f"cluster/{name}")
            self.clusters[name] = {
                "clusterArn": arn,
                "clusterName": name,
                "status": "ACTIVE",
                "settings": params.get("settings", [{"name": "containerInsights", "value": "disabled"}]),
                **{key: params[key] for key in _KEPT if key in params},
            }
            self.set_tags(arn, params.get("tags", []))
        return {"cluster": self._describe_cluster(self.clusters[name])}

    def update_cluster(self, params: Params) -> dict[str, Any]:
        """Change a cluster's settings and configuration."""
        cluster = self.cluster(params["cluster"])
        cluster.update({key: params[key] for key in ("settings", *_KEPT) if key in params})
        return {"cluster": self._describe_cluster(cluster)}

    def _describe_cluster(self, cluster: dict[str, Any]) -> dict[str, Any]:
        arn = cluster["clusterArn"]
        tasks = [task for task in self.tasks.values() if task.content["clusterArn"] == arn]
        services = [service for service in self.services.values() if service.content["clusterArn"] == arn]
        return describe_cluster(cluster, tasks, services, self.tag_list(arn))

    def describe_clusters(self, params: Params) -> dict[str, Any]:
        """Describe clusters; those that do not exist are among the failures."""
        found, failures = [], []
        for reference in params.get("clusters") or ["default"]:
            name = reference.rpartition("/")[2]
            if name in self.clusters:
                found.append(self._describe_cluster(self.clusters[name]))
            else:
                arn = self.context.arn("ecs", f"cluster/{name}")
                failures.append(missing(arn))
        return {"clusters": found, "failures": failures}

    def list_clusters(self, params: Params) -> dict[str, Any]:
        """List the ACTIVE clusters."""
        active = (cluster for cluster in self.clusters.values() if cluster["status"] == "ACTIVE")
        return {"clusterArns": [cluster["clusterArn"] for cluster in active]}

    def delete_cluster(self, params: Params) -> dict[str, Any]:
        """Delete a cluster without services and tasks; it stays as INACTIVE."""
        cluster = self.cluster(params["cluster"])
        arn = cluster["clusterArn"]
        if any(
            service.content["status"] != "INACTIVE"
            for service in self.services.values()
            if service.content["clusterArn"] == arn
        ):
            raise AwsError(
                "ClusterContainsServicesException",
                "The Cluster cannot be deleted while Services are active.",
            )
        if any(task.status != "STOPPED" for task in self.tasks.values() if task.content["clusterArn"] == arn):
            raise AwsError(
                "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."
            )
        cluster["status"] = "INACTIVE"
        return {"cluster": self._describe_cluster(cluster)}

    def list_tags_for_resource(self, params: Params) -> dict[str, Any]:
        """Return a resource's tags."""
        try:
            return {"tags": self.tag_list(self._taggable(params["resourceArn"]))}
        except AwsError as error:
            # It declares no code of its own for a resource that does not exist.
            if error.code == "ResourceNotFoundException":
                raise invalid_parameter(error.message) from error
            raise

    def tag_resource(self, params: Params) -> None:
        """Add tags to a resource."""
        arn = self._taggable(params["resourceArn"])
        self.tags.setdefault(arn, {}).update({tag["key"]: tag.get("value", "") for tag in params["tags"]})

    def untag_resource(self, params: Params) -> None:
        """Remove tags from a resource."""
        for key in params["tagKeys"]:
            self.tags.get(self._taggable(params["resourceArn"]), {}).pop(key, None)

    def _taggable(self, arn: str) -> str:
        """Return the ARN of a resource that exists, which has tags.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TagResource.html#API_TagResource_Errors
        """
        if arn in self.tags:
            return arn
        prefix = self.context.arn("ecs", "")
        if not arn.startswith(prefix):
            raise invalid_parameter("The specified resource could not be found.")
        if arn.startswith(f"{prefix}cluster/"):
            raise cluster_not_found()
        raise AwsError("ResourceNotFoundException", "The specified resource could not be found.")
