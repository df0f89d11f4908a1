"""ECS's operations on tasks."""

from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.services.ecs.errors import invalid_parameter
from local_aws.services.ecs.members import check_launch_type
from local_aws.services.ecs.network import check_network
from local_aws.services.ecs.platform import check_platform
from local_aws.services.ecs.records import Task, TaskSet
from local_aws.services.ecs.serializers import missing
from local_aws.services.ecs.state import EcsState, Params, new_id
from local_aws.services.ecs.task_run import TaskRun


class TaskOperations(EcsState):
    """Operations on tasks."""

    def run_task(self, params: Params) -> dict[str, Any]:
        """Start tasks outside of a service, or return those of an earlier call with the same token."""
        if earlier := self._earlier(params):
            return {"tasks": [task.content for task in earlier], "failures": []}
        cluster = self.cluster(params.get("cluster"))
        definition = self.definition(params["taskDefinition"])
        check_launch_type("RunTask", params)
        check_platform(definition, params)
        check_network(self.context, definition, params)
        _check_overrides(definition, params)
        count = params.get("count", 1)
        if not 1 <= count <= 10:
            raise invalid_parameter("Count must be between 1 and 10.")
        group = params.get("group", f"family:{definition['family']}")
        tasks = []
        for _ in range(count):
            task = self.new_task(cluster, definition, group, params)
            for override in filter(None, params.get("overrides", {}).get("containerOverrides", [])):
                task.environment[override["name"]] = override.get("environment", [])
                if override.get("command"):
                    task.commands[override["name"]] = override["command"]
            task.request = params
            task.content["overrides"] = params.get("overrides", {})
            self.begin(task)
            tasks.append(task.content)
        return {"tasks": tasks, "failures": []}

    def _earlier(self, params: Params) -> list[Task]:
        """Return the tasks of an earlier call with the same token.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
        """
        token = params.get("clientToken")
        found = [
            task for task in self.tasks.values() if token and (task.request or {}).get("clientToken") == token
        ]
        if found and found[0].request != params:
            raise AwsError(
                "ConflictException",
                f"The client token {token} is already in use with a different request: {found[0].arn}",
            )
        return found

    def new_task(
        self,
        cluster: dict[str, Any],
        definition: dict[str, Any],
        group: str,
        params: Params,
        task_set: TaskSet | None = None,
    ) -> Task:
        """Record a new task of a definition as PROVISIONING; `begin` runs it."""
        task_id = new_id()
        arn = self.context.arn("ecs", f"task/{cluster['clusterName']}/{task_id}")
        content = _new_content(arn, cluster["clusterArn"], definition, params)
        content["group"] = group
        if params.get("startedBy"):
            content["startedBy"] = params["startedBy"]
        task = Task(content, definition, task_set=task_set)
        self.tasks[arn] = task
        self.set_tags(arn, params.get("tags", []))
        return task

    def begin(self, task: Task) -> None:
        """Run a task on a thread of its own."""
        self.emit_task(task)
        self.context.spawn(f"task-{task.id[:8]}", TaskRun(self, task).run)

    def _task(self, cluster: str | None, reference: str) -> Task:
        name = self.cluster(cluster)["clusterName"]
        arn = self.context.arn("ecs", f"task/{name}/{reference.rpartition('/')[2]}")
        if arn not in self.tasks:
            raise invalid_parameter("The referenced task was not found.")
        return self.tasks[arn]

    def stop_task(self, params: Params) -> dict[str, Any]:
        """Stop a task; its service starts another one."""
        task = self._task(params.get("cluster"), params["task"])
        task.request_stop("UserInitiated", params.get("reason", "Task stopped by user"))
        return {"task": task.content}

    def describe_tasks(self, params: Params) -> dict[str, Any]:
        """Describe tasks; those that do not exist are among the failures."""
        found, failures = [], []
        for reference in params["tasks"]:
            try:
                task = self._task(params.get("cluster"), reference)
            except AwsError as error:
                if error.code == "ClusterNotFoundException":
                    raise
                cluster = self.cluster(params.get("cluster"))["clusterName"]
                failures.append(missing(self.arn_of("task", reference, cluster)))
                continue
            tags = {"tags": self.tag_list(task.arn)} if "TAGS" in params.get("include", []) else {}
            found.append({**task.content, **tags})
        return {"tasks": found, "failures": failures}

    def list_tasks(self, params: Params) -> dict[str, Any]:
        """List tasks by cluster, service, family, launch type, status (RUNNING) and who started them."""
        cluster = self.cluster(params.get("cluster"))["clusterArn"]
        _check_filters(params)
        status = params.get("desiredStatus", "RUNNING")
        service = params.get("serviceName")
        if service is not None:
            self.find_service(params.get("cluster"), service)
        found = [
            task.arn
            for task in self.tasks.values()
            if task.content["clusterArn"] == cluster
            and task.content["desiredStatus"] == status
            and (service is None or task.content["group"] == f"service:{service.rpartition('/')[2]}")
            and params.get("family") in (None, task.definition["family"])
            and params.get("launchType") in (None, task.content["launchType"])
            and params.get("startedBy") in (None, task.content.get("startedBy"))
        ]
        return {"taskArns": found}


def _check_overrides(definition: Params, params: Params) -> None:
    """Refuse an override of a container that the task definition does not have.

    The message: azavea/django-ecsmanage#21.
    """
    known = {container["name"] for container in definition["containerDefinitions"]}
    for override in params.get("overrides", {}).get("containerOverrides", []):
        name = override.get("name")
        if override and name not in known:
            raise invalid_parameter(
                f"Override for container named {name} is not a container in the TaskDefinition."
            )


def _check_filters(params: Params) -> None:
    """Reject a second filter: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html."""
    if params.get("startedBy") and (params.get("family") or params.get("serviceName")):
        raise invalid_parameter("When you specify startedBy as the filter, it must be the only filter.")


def _new_content(arn: str, cluster_arn: str, definition: Params, params: Params) -> dict[str, Any]:
    network = params.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    subnet = (network.get("subnets") or [""])[0]
    return {
        "taskArn": arn,
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "clusterArn": cluster_arn,
        "launchType": params.get("launchType", "FARGATE"),
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "cpu": definition.get("cpu", "256"),
        "memory": definition.get("memory", "512"),
        "connectivity": "CONNECTED",
        "desiredStatus": "RUNNING",
        "lastStatus": "PROVISIONING",
        "healthStatus": "UNKNOWN",
        "createdAt": now(),
        "version": 0,
        "overrides": {},
        "attachments": [
            {
                "id": new_id(),
                "type": "ElasticNetworkInterface",
                "status": "PRECREATED",
                "details": [{"name": "subnetId", "value": subnet}],
            }
        ],
        "containers": [_new_container(arn, container) for container in definition["containerDefinitions"]],
    }


def _new_container(task_arn: str, definition: Params) -> dict[str, Any]:
    return {
        "containerArn": task_arn.replace(":task/", ":container/") + f"/{new_id()}",
        "taskArn": task_arn,
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": "PENDING",
        "healthStatus": "UNKNOWN",
        "networkInterfaces": [],
        "cpu": str(definition.get("cpu", 0)),
    }
