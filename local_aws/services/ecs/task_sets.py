"""ECS's operations on task sets, between which CodeDeploy shifts the traffic of a service."""

from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.core.context import Context
from local_aws.services.ecs import validation
from local_aws.services.ecs.errors import invalid_parameter
from local_aws.services.ecs.members import check_launch_type
from local_aws.services.ecs.network import check_network
from local_aws.services.ecs.platform import check_platform
from local_aws.services.ecs.records import EcsService, TaskSet
from local_aws.services.ecs.serializers import missing
from local_aws.services.ecs.state import EcsState, Params, new_number

_COPIED = ("networkConfiguration", "launchType", "platformVersion", "externalId", "startedBy")


def make_task_set(
    context: Context, service: EcsService, definition: Params, params: Params, status: str, share: float
) -> TaskSet:
    """Return a new task set that runs `share` percent of the service's desired count."""
    cluster = service.content["clusterArn"].rpartition("/")[2]
    number = new_number()
    content = {
        "id": f"ecs-svc/{number}",
        "taskSetArn": context.arn("ecs", f"task-set/{cluster}/{service.name}/ecs-svc/{number}"),
        "serviceArn": service.arn,
        "clusterArn": service.content["clusterArn"],
        "status": status,
        "taskDefinition": definition["taskDefinitionArn"],
        "pendingCount": 0,
        "runningCount": 0,
        "createdAt": now(),
        "updatedAt": now(),
        "loadBalancers": params.get("loadBalancers", []),
        "serviceRegistries": [],
        "scale": {"value": share, "unit": "PERCENT"},
        "stabilityStatus": "STABILIZING",
        "stabilityStatusAt": now(),
        **{key: params[key] for key in _COPIED if params.get(key)},
    }
    content.setdefault("launchType", "FARGATE")
    task_set = TaskSet(content)
    content["computedDesiredCount"] = task_set.count(service.desired)
    return task_set


class TaskSetOperations(EcsState):
    """Operations on task sets of services with the CODE_DEPLOY or EXTERNAL controller."""

    def _with_task_sets(self, params: Params) -> EcsService:
        service = self.active_service(params["cluster"], params["service"])
        if service.controller == "ECS":
            raise invalid_parameter(
                "Task sets cannot be used with services whose deployment controller is ECS."
            )
        return service

    def create_task_set(self, params: Params) -> dict[str, Any]:
        """Create an ACTIVE task set; without `scale` it runs no tasks."""
        service = self._with_task_sets(params)
        definition = self.definition(params["taskDefinition"])
        check_launch_type("CreateTaskSet", params)
        check_platform(definition, params)
        check_network(self.context, definition, params)
        validation.check_balancers(self.context, definition, params.get("loadBalancers", []))
        share = float(params.get("scale", {}).get("value", 0.0))
        task_set = make_task_set(self.context, service, definition, params, "ACTIVE", share)
        service.task_sets.append(task_set)
        self.set_tags(task_set.content["taskSetArn"], params.get("tags", []))
        service.changed.set()
        return {"taskSet": task_set.content}

    def describe_task_sets(self, params: Params) -> dict[str, Any]:
        """Describe a service's task sets, all or those that are named."""
        service = self.active_service(params["cluster"], params["service"])
        wanted = params.get("taskSets")
        if not wanted:
            return {"taskSets": [dict(task_set.content) for task_set in service.task_sets], "failures": []}
        found, failures = [], []
        for reference in wanted:
            try:
                found.append(dict(self.task_set(service, reference).content))
            except AwsError:
                parents = service.arn.partition(":service/")[2].split("/")
                failures.append(missing(self.arn_of("task-set", reference, *parents)))
        return {"taskSets": found, "failures": failures}

    def update_task_set(self, params: Params) -> dict[str, Any]:
        """Set the share of the desired count that a task set runs."""
        service = self._with_task_sets(params)
        task_set = self.task_set(service, params["taskSet"])
        task_set.content["scale"] = {"unit": "PERCENT", **params["scale"]}
        task_set.content["computedDesiredCount"] = task_set.count(service.desired)
        task_set.restabilize()
        service.changed.set()
        return {"taskSet": task_set.content}

    def update_service_primary_task_set(self, params: Params) -> dict[str, Any]:
        """Make a task set PRIMARY; the service's description has its settings then."""
        service = self._with_task_sets(params)
        chosen = self.task_set(service, params["primaryTaskSet"])
        if chosen.draining:
            raise invalid_parameter("The task set is draining and cannot become primary.")
        for task_set in service.task_sets:
            if task_set.content["status"] == "PRIMARY":
                task_set.content.update(status="ACTIVE", updatedAt=now())
        chosen.content.update(status="PRIMARY", updatedAt=now())
        for key in ("taskDefinition", "loadBalancers", "networkConfiguration", "platformVersion"):
            if key in chosen.content:
                service.content[key] = chosen.content[key]
        service.changed.set()
        return {"taskSet": chosen.content}

    def delete_task_set(self, params: Params) -> dict[str, Any]:
        """Drain a task set and remove it; one that is scaled above 0 only with `force`."""
        service = self._with_task_sets(params)
        task_set = self.task_set(service, params["taskSet"])
        if task_set.content["status"] == "PRIMARY":
            raise invalid_parameter("The primary task set of a service cannot be deleted.")
        if task_set.content["scale"]["value"] > 0 and not params.get("force"):
            raise invalid_parameter("The task set cannot be deleted while it is scaled above 0.")
        task_set.content.update(status="DRAINING", computedDesiredCount=0, updatedAt=now())
        task_set.restabilize()
        service.changed.set()
        return {"taskSet": task_set.content}
