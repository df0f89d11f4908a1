"""Pitfalls of the test-traffic hook: each test deploys a task definition of the first release again."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from harness.cloud import Cloud
from integration_tests.pitfalls.pipelines import Outcome, Pipeline
from integration_tests.pitfalls.stacks import CREATED, temporary_stack
from integration_tests.pitfalls.synthesized_templates import synthesized
from integration_tests.pitfalls.whole_pipeline import WholePipeline
from operations.waiting import NotYetError, wait_for

pytestmark = pytest.mark.slow

# An ordinary API: it sends no version, and has no page at `/`.
API = """
import http.server, os

class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/health", "/api/items") else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Api).serve_forever()
"""
SUCCEEDED = ("Succeeded", "", "")
ENDED = ("Succeeded", "Failed", "Stopped")


@dataclass
class Released:
    """A pipeline whose first run has released; `definition` is the task definition of that release."""

    pipeline: WholePipeline
    definition: dict[str, Any]

    @property
    def hook(self) -> str:
        """The name of the hook's function."""
        return self.pipeline.physical_name("test-traffic-hook-the-suffix")

    def client(self, service: str) -> Any:
        """Return a client of the cloud."""
        return self.pipeline.stack.cloud.client(service)

    def skip_days(self, days: int) -> None:
        """Let days pass, with the schedules that are due."""
        cloud = self.pipeline.stack.cloud
        headers = {"Authorization": f"Bearer {cloud.keys['AWS_SECRET_ACCESS_KEY']}"}
        url = f"{cloud.endpoint}/_local_aws/skip-days?days={days}"
        requests.post(url, headers=headers, timeout=300).raise_for_status()

    def deploy(self, definition: str = "") -> tuple[str, str, str]:
        """Deploy a task definition; return the deployment's status, and the code and message of its error."""
        codedeploy, group = self.client("codedeploy"), self.pipeline.group
        service = {
            "TaskDefinition": definition or self.definition["taskDefinitionArn"],
            "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8080},
        }
        target = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": service}}
        hooks = [{"AfterAllowTestTraffic": self.hook}]
        text = json.dumps({"version": 0.0, "Resources": [target], "Hooks": hooks})
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": text}}

        def idle() -> None:
            if active := self.pipeline.deployments("Created", "Queued", "InProgress", "Ready"):
                raise NotYetError(str(active))

        def end() -> dict[str, Any]:
            info: dict[str, Any] = codedeploy.get_deployment(deploymentId=started)["deploymentInfo"]
            if info["status"] not in ENDED:
                raise NotYetError(info["status"])
            return info

        wait_for("the end of other deployments", idle, deadline=120, interval=0.2)
        started = codedeploy.create_deployment(**group, revision=revision)["deploymentId"]
        info = wait_for("the deployment", end, deadline=300, interval=0.2)
        error = info.get("errorInformation", {})
        return info["status"], error.get("code", ""), error.get("message", "")

    def reason(self) -> str:
        """Wait for a reason in the hook's log, and return it.

        The hook reports to CodeDeploy while it runs; Lambda delivers the line that it has logged afterwards.
        """

        def logged() -> str:
            events = self.client("logs").filter_log_events(logGroupName=f"/lambda/{self.hook}")["events"]
            lines = [json.loads(one["message"]) for one in events if one["message"].startswith("{")]
            if not (reasons := [line["reason"] for line in lines if "reason" in line]):
                raise NotYetError(f"{len(lines)} lines without a reason")
            return str(reasons[-1])

        return wait_for("the hook's reason", logged, deadline=60, interval=0.2)


@pytest.fixture(scope="module")
def released(cloud: Cloud) -> Iterator[Released]:
    with temporary_stack(cloud, synthesized(cloud).resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        whole = WholePipeline(stack, Pipeline(cloud, stack.physical_name("pipeline-the-suffix")))
        assert whole.pipeline.outcome("Deploy") == Outcome("Succeeded")
        ecs = cloud.client("ecs")
        (service,) = ecs.describe_services(
            cluster=whole.physical_name("cluster-the-suffix"),
            services=[whole.physical_name("service-the-suffix")],
        )["services"]
        found = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        yield Released(whole, found["taskDefinition"])


def test_the_first_release_after_a_quiet_month_needs_the_schedule(released: Released) -> None:
    """pitfall N7: without the rule, Lambda has made the function Inactive; its invocation fails."""
    events, client = released.client("events"), released.client("lambda")
    rule = released.pipeline.physical_name("test-traffic-hook-schedule-the-suffix")
    events.disable_rule(Name=rule)
    released.skip_days(30)
    assert client.get_function_configuration(FunctionName=released.hook)["State"] == "Inactive"
    status, code, message = released.deploy()
    assert (status, code) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert "The function is inactive and its VPC connection is no longer available" in message
    client.get_waiter("function_active_v2").wait(FunctionName=released.hook)
    events.enable_rule(Name=rule)
    released.skip_days(30)
    assert client.get_function_configuration(FunctionName=released.hook)["State"] == "Active"
    assert released.deploy() == SUCCEEDED


def test_an_api_without_a_version_and_without_a_page_at_the_root_is_released(released: Released) -> None:
    """pitfall N8: the hook names the path that it may not expect; the catalogue names the right ones."""
    keys = ("family", "taskRoleArn", "executionRoleArn", "networkMode", "cpu", "memory")
    kept = {key: released.definition[key] for key in (*keys, "requiresCompatibilities")}
    container = {**released.definition["containerDefinitions"][0], "command": ["python", "-c", API]}
    registered = released.client("ecs").register_task_definition(**kept, containerDefinitions=[container])
    api = registered["taskDefinition"]["taskDefinitionArn"]
    status, code, _ = released.deploy(api)
    assert (status, code) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert re.search(r"GET http://\S+:8080/: expected 200, got 404, in attempt 4 of 4", released.reason())
    client = released.client("lambda")
    environment = client.get_function_configuration(FunctionName=released.hook)["Environment"]
    environment["Variables"]["SMOKE_PATHS"] = json.dumps([{"path": "/api/items", "status": 200}])
    client.update_function_configuration(FunctionName=released.hook, Environment=environment)
    assert released.deploy(api) == SUCCEEDED
