"""Reads one environment by boto3, as its user would: the stack, the pipeline, blue and green, the logs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud import Cloud, HarnessError
from harness.dashboard.logs import BuildLog, TaskLog
from harness.release import Releases
from infrastructure.outputs import Outputs
from operations.errors import OperationsError
from operations.listener_drift import shares
from operations.root_stack import NESTED, root_stack

# As many releases as are listed.
RELEASES = 10
# What the road's build writes on every image and task definition.
REVISION = "org.opencontainers.image.revision"

Part = dict[str, Any]


@dataclass(frozen=True)
class Action:
    """One action of a stage: `at` is when it changed, in seconds since the epoch, `why` is AWS's words."""

    name: str
    status: str
    at: float | None
    why: str


@dataclass(frozen=True)
class Stage:
    """One stage, the commit that is in it or was last, and the commits that wait in front of it."""

    name: str
    status: str
    commit: str
    waiting: tuple[str, ...]
    closed: str
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Side:
    """One target group of the two, the task set behind it, and its per cent of each listener's traffic."""

    name: str
    version: str
    status: str
    running: int
    desired: int
    healthy: int
    targets: int
    production: float
    test: float


class Road:
    """One environment. `look` tells everything that a page shows of it but its traffic."""

    def __init__(self, cloud: Cloud, suffix: str) -> None:
        self.cloud = cloud
        self.suffix = suffix
        self.outputs: Outputs | None = None
        self.url = ""
        self._build = BuildLog(cloud)
        self._tasks = TaskLog(cloud, f"/ecs/task-{suffix}")
        self._versions: dict[str, str] = {}

    def look(self) -> dict[str, Part]:
        """Return the parts by their names; one that AWS refuses has AWS's words under `trouble`."""
        found = {"stack": _tried(self._stack)}
        if self.outputs is not None:
            found |= {"road": _tried(self._road), "sides": _tried(self._sides), "logs": _tried(self._logs)}
        return found

    def releases(self) -> Releases:
        """Return the environment's releases. Raises `HarnessError` where it is not deployed."""
        if self.outputs is None:
            raise HarnessError(f"stack-{self.suffix} is not deployed")
        return Releases(self.cloud, self.outputs)

    def _stack(self) -> Part:
        stack = root_stack(self.suffix, self.cloud.account)
        if stack is None:
            self.outputs, self.url = None, ""
            return {"name": f"stack-{self.suffix}", "status": "", "reason": "", "nested": []}
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
        self.outputs = Outputs.from_stack(outputs) if outputs else None
        status = stack["StackStatus"]
        return {
            "name": stack["StackName"],
            "status": status,
            "reason": stack.get("StackStatusReason", ""),
            "nested": self._nested(stack["StackName"]) if status.endswith("IN_PROGRESS") else [],
        }

    def _nested(self, stack: str) -> list[Part]:
        found = self.cloud.client("cloudformation").describe_stack_resources(StackName=stack)
        return [
            {"name": one["LogicalResourceId"].partition("NestedStack")[0], "status": one["ResourceStatus"]}
            for one in found["StackResources"]
            if one["ResourceType"] == NESTED
        ]

    def _road(self) -> Part:
        releases = self.releases()
        client, name = self.cloud.client("codepipeline"), releases.outputs.pipeline_name
        found = client.list_pipeline_executions(pipelineName=name, maxResults=RELEASES)
        executions = found["pipelineExecutionSummaries"]
        state = client.get_pipeline_state(name=name)
        self._build.id = external_id(state, "Build")
        return {
            "stages": [asdict(stage) for stage in stages_of(state, executions)],
            "deployments": list(deployments_of(external_id(state, "Deploy"), releases)),
            "releases": [release_of(one) for one in executions],
        }

    def _sides(self) -> Part:
        outputs = self.releases().outputs
        self.url = ""
        self.url = self.cloud.resolve(outputs.service_url)
        group = self.cloud.client("codedeploy").get_deployment_group(
            applicationName=outputs.application_name, deploymentGroupName=outputs.deployment_group_name
        )["deploymentGroupInfo"]
        pair = group["loadBalancerInfo"]["targetGroupPairInfoList"][0]
        elbv2, ecs = self.cloud.client("elbv2"), self.cloud.client("ecs")
        names = [one["name"] for one in pair["targetGroups"]]
        groups = elbv2.describe_target_groups(Names=names)["TargetGroups"]
        services = ecs.describe_services(cluster=outputs.cluster_name, services=[outputs.service_name])
        task_sets = {
            one["loadBalancers"][0]["targetGroupArn"]: one
            for service in services["services"]
            for one in service.get("taskSets", [])
        }
        production = self._shares(pair["prodTrafficRoute"])
        test = self._shares(pair.get("testTrafficRoute", {}))
        return {
            "sides": [
                asdict(self._side(one, task_sets.get(one["TargetGroupArn"], {}), production, test))
                for one in groups
            ]
        }

    def _shares(self, route: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the per cent of a route's traffic by target group; CodeDeploy has one listener a route."""
        if not route.get("listenerArns"):
            return {}
        found = self.cloud.client("elbv2").describe_listeners(ListenerArns=route["listenerArns"])
        return shares(found["Listeners"][0]["DefaultActions"])

    def _side(
        self,
        group: Mapping[str, Any],
        task_set: Mapping[str, Any],
        production: Mapping[str, float],
        test: Mapping[str, float],
    ) -> Side:
        arn, definition = group["TargetGroupArn"], task_set.get("taskDefinition", "")
        found = self.cloud.client("elbv2").describe_target_health(TargetGroupArn=arn)
        states = [one["TargetHealth"]["State"] for one in found["TargetHealthDescriptions"]]
        return Side(
            name=group["TargetGroupName"],
            version=self._version(definition) if definition else "",
            status=task_set.get("status", ""),
            running=task_set.get("runningCount", 0),
            desired=task_set.get("computedDesiredCount", 0),
            healthy=states.count("healthy"),
            targets=len(states),
            production=production.get(arn, 0),
            test=test.get(arn, 0),
        )

    def _version(self, definition: str) -> str:
        """Return the commit of a task definition; of one that the build did not write, its image."""
        if definition not in self._versions:
            client = self.cloud.client("ecs")
            found = client.describe_task_definition(taskDefinition=definition)["taskDefinition"]
            container = found["containerDefinitions"][0]
            image = container["image"].rpartition("/")[2]
            self._versions[definition] = container.get("dockerLabels", {}).get(REVISION, image)
        return self._versions[definition]

    def _logs(self) -> Part:
        return {"build": self._build.tail(), "tasks": self._tasks.tail()}


def _tried(read: Callable[[], Part]) -> Part:
    try:
        return read()
    except (BotoCoreError, ClientError, OperationsError, OSError) as error:
        return {"trouble": str(error)}


def external_id(state: Mapping[str, Any], stage: str) -> str:
    """Return what a stage's first action started last: a build, a deployment. Promotions come after it."""
    for found in state["stageStates"]:
        if found["stageName"] == stage:
            return str(found["actionStates"][0].get("latestExecution", {}).get("externalExecutionId", ""))
    return ""


def stages_of(state: Mapping[str, Any], executions: Iterable[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """Make stages of GetPipelineState's answer; the commits are those of ListPipelineExecutions."""
    commits = {one["pipelineExecutionId"]: commit_of(one) for one in executions}
    return tuple(_stage(one, commits) for one in state["stageStates"])


def _stage(found: Mapping[str, Any], commits: Mapping[str, str]) -> Stage:
    latest, transition = found.get("latestExecution", {}), found.get("inboundTransitionState", {})
    waiting = found.get("inboundExecutions", [])
    return Stage(
        name=found["stageName"],
        status=latest.get("status", ""),
        commit=commits.get(latest.get("pipelineExecutionId", ""), ""),
        waiting=tuple(commits.get(one["pipelineExecutionId"], "") for one in waiting),
        closed="" if transition.get("enabled", True) else transition.get("disabledReason", "no reason given"),
        actions=tuple(_action(one) for one in found["actionStates"]),
    )


def _action(found: Mapping[str, Any]) -> Action:
    latest = found.get("latestExecution", {})
    changed = latest.get("lastStatusChange")
    why = latest.get("errorDetails", {}).get("message") or latest.get("summary", "")
    return Action(found["actionName"], latest.get("status", ""), changed and changed.timestamp(), why)


def commit_of(execution: Mapping[str, Any]) -> str:
    """Return the commit that an execution took from its source, empty before it took one."""
    return next((str(one.get("revisionId", "")) for one in execution.get("sourceRevisions", [])), "")


def release_of(execution: Mapping[str, Any]) -> Part:
    """Return a line of the list of releases."""
    revisions = execution.get("sourceRevisions", [])
    return {
        "execution": execution["pipelineExecutionId"],
        "commit": commit_of(execution),
        "message": revisions[0].get("revisionSummary", "") if revisions else "",
        "status": execution["status"],
        "began": execution["startTime"].timestamp(),
        "changed": execution["lastUpdateTime"].timestamp(),
    }


def deployments_of(deployment: str, releases: Releases) -> Iterable[Part]:
    """Yield a deployment with its lifecycle events, and the one that rolled it back, if one did."""
    client = releases.cloud.client("codedeploy")
    while deployment:
        info = client.get_deployment(deploymentId=deployment)["deploymentInfo"]
        yield {
            "id": deployment,
            "status": info["status"],
            "config": info.get("deploymentConfigName", ""),
            "why": info.get("errorInformation", {}).get("message", ""),
            "events": [
                {"name": event["lifecycleEventName"], "status": event["status"]}
                for event in releases.lifecycle(deployment)
            ],
        }
        deployment = info.get("rollbackInfo", {}).get("rollbackDeploymentId", "")
