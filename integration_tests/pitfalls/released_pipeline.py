"""A pipeline whose first run has released: a test deploys the same image again, and reads the hook's log."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from harness.cloud import Cloud
from harness.stacks import CREATED, temporary_stack
from harness.synthesized_app import synthesized
from integration_tests.pitfalls.pipelines import Outcome, Pipeline
from integration_tests.pitfalls.whole_pipeline import WholePipeline
from operations.waiting import NotYetError, wait_for

SUCCEEDED = ("Succeeded", "", "")
# What invokes the deployment guard.
GUARD_RULES = ("deployment-guard-deployments-the-suffix", "deployment-guard-tasks-the-suffix")
ENDED = ("Succeeded", "Failed", "Stopped")


@dataclass
class Released:
    """A pipeline whose first run has released; `definition` is the task definition of that release."""

    pipeline: WholePipeline
    definition: dict[str, Any]
    # The last one that `deploy` made.
    deployment: str = ""

    @property
    def hook(self) -> str:
        """The name of the hook's function."""
        return self.pipeline.physical_name("test-traffic-hook-the-suffix")

    @property
    def image(self) -> str:
        """The image of the release, with its digest."""
        return str(self.definition["containerDefinitions"][0]["image"])

    def client(self, service: str) -> Any:
        """Return a client of the cloud."""
        return self.pipeline.stack.cloud.client(service)

    def set_variables(self, **variables: str) -> None:
        """Give the hook's function these variables, beside its others."""
        client = self.client("lambda")
        environment = client.get_function_configuration(FunctionName=self.hook)["Environment"]
        environment["Variables"] |= variables
        client.update_function_configuration(FunctionName=self.hook, Environment=environment)

    def skip_days(self, days: int) -> None:
        """Let days pass, with the schedules that are due."""
        self._control(f"skip-days?days={days}", None)

    def plant(self, *findings: tuple[str, str, str]) -> None:
        """Let the scan of the released image find these: each a name, a severity and a package."""
        keys, digest = ("name", "severity", "package"), self.image.partition("@")[2]
        named = [
            {**dict(zip(keys, one, strict=True)), "version": "1.0", "imageDigest": digest} for one in findings
        ]
        self._control("image-scan-findings", named)

    def _control(self, path: str, content: object) -> None:
        """Send a request to local_aws itself, with the secret that its owner has."""
        cloud = self.pipeline.stack.cloud
        headers = {"Authorization": f"Bearer {cloud.keys['AWS_SECRET_ACCESS_KEY']}"}
        url = f"{cloud.endpoint}/_local_aws/{path}"
        requests.post(url, json=content, headers=headers, timeout=300).raise_for_status()

    def wait_until_idle(self) -> None:
        """Wait for the end of all deployments, and of the rollback of a failed one."""
        codedeploy = self.client("codedeploy")

        def look() -> None:
            if active := self.pipeline.deployments("Created", "Queued", "InProgress", "Ready"):
                raise NotYetError(str(active))
            if self.deployment:
                info = codedeploy.get_deployment(deploymentId=self.deployment)["deploymentInfo"]
                if info["status"] == "Failed" and not info.get("rollbackInfo"):
                    raise NotYetError(f"{self.deployment} has no rollback yet")

        wait_for("the end of other deployments", look, deadline=120, interval=0.2)

    @contextmanager
    def disabled(self, *rules: str) -> Iterator[None]:
        """Let EventBridge deliver no events of these rules, by their synthesized names."""
        events, names = self.client("events"), [self.pipeline.physical_name(rule) for rule in rules]
        for name in names:
            events.disable_rule(Name=name)
        try:
            yield
        finally:
            for name in names:
                events.enable_rule(Name=name)

    def register(self, **changes: Any) -> str:
        """Register the task definition with changes of its container; return its ARN."""
        keys = ("family", "taskRoleArn", "executionRoleArn", "networkMode", "cpu", "memory")
        kept = {key: self.definition[key] for key in (*keys, "requiresCompatibilities")}
        container = {**self.definition["containerDefinitions"][0], **changes}
        registered = self.client("ecs").register_task_definition(**kept, containerDefinitions=[container])
        return str(registered["taskDefinition"]["taskDefinitionArn"])

    def primary_task_set(self) -> str:
        """Return the id of the task set that has the production traffic."""
        (service,) = self.client("ecs").describe_services(
            cluster=self.pipeline.physical_name("cluster-the-suffix"),
            services=[self.pipeline.physical_name("service-the-suffix")],
        )["services"]
        (primary,) = (one["id"] for one in service["taskSets"] if one["status"] == "PRIMARY")
        return str(primary)

    def deploy(
        self, definition: str = "", hooks: Sequence[str] | None = None, **settings: Any
    ) -> tuple[str, str, str]:
        """Deploy a task definition; return the deployment's status, and the code and message of its error.

        The AppSpec names the functions `hooks`, or this environment's own. `settings` are those of the call.
        """
        codedeploy, group = self.client("codedeploy"), self.pipeline.group
        service = {
            "TaskDefinition": definition or self.definition["taskDefinitionArn"],
            "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8080},
        }
        target = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": service}}
        functions = [{"AfterAllowTestTraffic": name} for name in ([self.hook] if hooks is None else hooks)]
        text = json.dumps({"version": 0.0, "Resources": [target], "Hooks": functions})
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": text}}

        def end() -> dict[str, Any]:
            info: dict[str, Any] = codedeploy.get_deployment(deploymentId=started)["deploymentInfo"]
            if info["status"] not in ENDED:
                raise NotYetError(info["status"])
            return info

        self.wait_until_idle()
        started = codedeploy.create_deployment(**group, revision=revision, **settings)["deploymentId"]
        self.deployment = str(started)
        info = wait_for("the deployment", end, deadline=300, interval=0.2)
        error = info.get("errorInformation", {})
        return info["status"], error.get("code", ""), error.get("message", "")

    def reason(self) -> str:
        """Wait for the reason in the hook's line about the last deployment, and return it."""
        return str(self.hook_line()["reason"])

    def hook_line(self) -> dict[str, Any]:
        """Wait for the hook's line about the last deployment, and return it.

        The hook reports to CodeDeploy while it runs; Lambda delivers the line that it has logged afterwards.
        """

        def logged() -> dict[str, Any]:
            events = self.client("logs").filter_log_events(logGroupName=f"/lambda/{self.hook}")["events"]
            lines = [json.loads(one["message"]) for one in events if one["message"].startswith("{")]
            ours: list[dict[str, Any]] = [one for one in lines if one["deployment"] == self.deployment]
            if not ours:
                raise NotYetError(f"{len(lines)} lines, none about {self.deployment}")
            return ours[-1]

        return wait_for("the hook's line", logged, deadline=60, interval=0.2)


@contextmanager
def released_pipeline(cloud: Cloud, *context: str) -> Iterator[Released]:
    """Deploy the app as one stack and wait for its first release; delete it when the context closes.

    `context` has further settings as KEY=VALUE.
    """
    with temporary_stack(cloud, synthesized(cloud, *context).resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        whole = WholePipeline(stack, Pipeline(cloud, stack.physical_name("pipeline-the-suffix")))
        assert whole.pipeline.outcome("Deploy") == Outcome("Succeeded")
        ecs = cloud.client("ecs")
        (service,) = ecs.describe_services(
            cluster=whole.physical_name("cluster-the-suffix"),
            services=[whole.physical_name("service-the-suffix")],
        )["services"]
        found = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        released = Released(whole, found["taskDefinition"])
        yield released
        # A rollback that runs while the stack is deleted fails, with an error in the background.
        released.wait_until_idle()
