"""Reads one environment with boto3: its stack, its pipeline, its target groups and its logs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud import Cloud, HarnessError
from harness.dashboard.commits import Commits
from harness.dashboard.failure import Failure
from harness.dashboard.logs import BuildLog, TaskLog
from harness.dashboard.pipeline_state import Part, deployments_of, external_id, release_of, stages_of
from harness.release import REVISION, Releases
from infrastructure.outputs import Outputs
from operations.errors import OperationsError
from operations.listener_drift import shares
from operations.root_stack import NESTED, root_stack

# The rows of the table of releases.
RELEASES = 10
# The errors of a call to AWS, or to local_aws.
CALL_ERRORS = (BotoCoreError, ClientError, OperationsError, OSError)


@dataclass(frozen=True)
class TargetGroup:
    """Blue or green: a target group, its task set, and its percentage of each listener's traffic."""

    name: str
    version: str
    status: str
    running: int
    desired: int
    healthy: int
    targets: int
    production: float
    test: float


class EnvironmentView:
    """One environment. `read` returns everything that the page shows of it, except its traffic."""

    def __init__(self, cloud: Cloud, suffix: str) -> None:
        self.cloud = cloud
        self.suffix = suffix
        self.outputs: Outputs | None = None
        self.url = ""
        # What the load balancer asks of the tasks, too: a service may have no page at "/".
        self.health_path = "/"
        self._build = BuildLog(cloud)
        self._tasks = TaskLog(cloud)
        self._versions: dict[str, str] = {}
        self._commits = Commits(cloud)
        self._failure = Failure(cloud, suffix)
        self._executions: Sequence[Mapping[str, Any]] = []

    def read(self) -> dict[str, Part]:
        """Return the parts of the page by name; a part that cannot be read has its message as `error`."""
        found = {"stack": _or_error(self._stack)}
        if self.outputs is not None:
            found["pipeline"] = _or_error(self._pipeline)
            found["failure"] = _or_error(lambda: self._failure.read(self._executions))
            found["target_groups"] = _or_error(self._target_groups)
            found["logs"] = _or_error(self._logs)
        return found

    def releases(self) -> Releases:
        """Return the environment's releases. Raises `HarnessError` if the environment is not deployed."""
        if self.outputs is None:
            self._stack()
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

    def _pipeline(self) -> Part:
        releases = self.releases()
        client, name = self.cloud.client("codepipeline"), releases.outputs.pipeline_name
        found = client.list_pipeline_executions(pipelineName=name, maxResults=RELEASES)
        self._executions = executions = found["pipelineExecutionSummaries"]
        state = client.get_pipeline_state(name=name)
        self._build.id = external_id(state, "Build")
        return {
            "stages": [asdict(stage) for stage in stages_of(state, executions)],
            "deployments": list(deployments_of(external_id(state, "Deploy"), releases)),
            "releases": [self._release(one) for one in executions],
        }

    def _release(self, execution: Mapping[str, Any]) -> Part:
        release = release_of(execution)
        repository = self.releases().outputs.repository_name
        return {**release, **self._commits.of(repository, release["commit"])}

    def _target_groups(self) -> Part:
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
        self.health_path = groups[0]["HealthCheckPath"]
        services = ecs.describe_services(cluster=outputs.cluster_name, services=[outputs.service_name])
        task_sets = {
            one["loadBalancers"][0]["targetGroupArn"]: one
            for service in services["services"]
            for one in service.get("taskSets", [])
        }
        production = self._shares(pair["prodTrafficRoute"])
        test = self._shares(pair.get("testTrafficRoute", {}))
        return {
            "target_groups": [
                asdict(self._target_group(one, task_sets.get(one["TargetGroupArn"], {}), production, test))
                for one in groups
            ]
        }

    def _shares(self, route: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the percentage of a route's traffic by target group; a route has one listener."""
        if not route.get("listenerArns"):
            return {}
        found = self.cloud.client("elbv2").describe_listeners(ListenerArns=route["listenerArns"])
        return shares(found["Listeners"][0]["DefaultActions"])

    def _target_group(
        self,
        group: Mapping[str, Any],
        task_set: Mapping[str, Any],
        production: Mapping[str, float],
        test: Mapping[str, float],
    ) -> TargetGroup:
        arn, definition = group["TargetGroupArn"], task_set.get("taskDefinition", "")
        found = self.cloud.client("elbv2").describe_target_health(TargetGroupArn=arn)
        states = [one["TargetHealth"]["State"] for one in found["TargetHealthDescriptions"]]
        return TargetGroup(
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
        """Return the commit of a task definition, or its image if the Build stage did not write it."""
        if definition not in self._versions:
            client = self.cloud.client("ecs")
            found = client.describe_task_definition(taskDefinition=definition)["taskDefinition"]
            container = found["containerDefinitions"][0]
            image = container["image"].rpartition("/")[2]
            self._versions[definition] = container.get("dockerLabels", {}).get(REVISION, image)
        return self._versions[definition]

    def _logs(self) -> Part:
        self._tasks.group = self.releases().outputs.task_log_group_name
        return {"build": self._build.tail(), "tasks": self._tasks.tail()}


def _or_error(read: Callable[[], Part]) -> Part:
    try:
        return read()
    except CALL_ERRORS as error:
        return {"error": str(error)}
