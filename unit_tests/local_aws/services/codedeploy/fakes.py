"""A small ECS and ELBv2 for the tests of CodeDeploy: state in plain dicts, every call recorded."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.codedeploy import waiter
from local_aws.services.codedeploy.service import CodeDeploy
from unit_tests.local_aws.services.codedeploy.fake_auto_scaling import FakeAutoScaling

ROLE = "arn:aws:iam::123456789012:role/deploy"
BLUE, GREEN = "arn:tg/blue", "arn:tg/green"
PRODUCTION, TEST = "arn:listener/80", "arn:listener/8080"
TASK_DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/task:2"
APPSPEC = f"""
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "{TASK_DEFINITION}"
        LoadBalancerInfo: {{ContainerName: app, ContainerPort: 8080}}
"""


def refusal(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def task_set(name: str, group: str, status: str) -> dict[str, Any]:
    return {
        "id": name,
        "status": status,
        "stabilityStatus": "STEADY_STATE",
        "computedDesiredCount": 2,
        "pendingCount": 0,
        "runningCount": 2,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        "loadBalancers": [{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}],
    }


class FakeEcs:
    def __init__(self) -> None:
        self.sets = [task_set("ecs-svc/1", BLUE, "PRIMARY")]
        self.healthy = True
        self.controller = "CODE_DEPLOY"
        self.refuse: ClientError | None = None
        self.calls: list[tuple[str, Any]] = []
        self.count = 1

    def describe_services(self, **_: Any) -> dict[str, Any]:
        service = {
            "serviceArn": "arn:service",
            "status": "ACTIVE",
            "deploymentController": {"type": self.controller},
            "taskSets": [dict(item) for item in self.sets],
        }
        return {"services": [service]}

    def describe_task_definition(self, **_: Any) -> dict[str, Any]:
        container = {"name": "app", "portMappings": [{"containerPort": 8080}]}
        return {"taskDefinition": {"containerDefinitions": [container]}}

    def create_task_set(self, **given: Any) -> dict[str, Any]:
        if self.refuse is not None:
            raise self.refuse
        self.count += 1
        made = task_set(f"ecs-svc/{self.count}", given["loadBalancers"][0]["targetGroupArn"], "ACTIVE")
        if not self.healthy:
            made |= {"stabilityStatus": "STABILIZING", "runningCount": 0}
        self.sets.append(made)
        self.calls.append(("create", given))
        return {"taskSet": made}

    def update_service_primary_task_set(self, **given: Any) -> None:
        for item in self.sets:
            item["status"] = "PRIMARY" if item["id"] == given["primaryTaskSet"] else "ACTIVE"
        self.calls.append(("primary", given["primaryTaskSet"]))

    def delete_task_set(self, **given: Any) -> None:
        self.sets = [item for item in self.sets if item["id"] != given["taskSet"]]
        self.calls.append(("delete", given["taskSet"]))

    def primary(self) -> str:
        return str(next(item["id"] for item in self.sets if item["status"] == "PRIMARY"))


class FakeElbv2:
    def __init__(self) -> None:
        self.weights = {PRODUCTION: {BLUE: 1}, TEST: {GREEN: 1}}
        self.history: list[tuple[str, int]] = []
        self.health = ["healthy", "healthy"]

    def describe_target_groups(self, Names: list[str]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return {"TargetGroups": [{"TargetGroupArn": f"arn:tg/{n}", "TargetGroupName": n} for n in Names]}

    def describe_listeners(self, ListenerArns: list[str]) -> None:  # noqa: N803
        if not set(ListenerArns) <= self.weights.keys():
            raise refusal("ListenerNotFound", "One or more listeners not found", "DescribeListeners")

    def describe_rules(self, ListenerArn: str) -> dict[str, Any]:  # noqa: N803
        groups = [{"TargetGroupArn": arn, "Weight": w} for arn, w in self.weights[ListenerArn].items()]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        return {"Rules": [{"RuleArn": "arn:rule", "IsDefault": True, "Actions": [action]}]}

    def modify_listener(self, ListenerArn: str, DefaultActions: list[Any]) -> None:  # noqa: N803
        groups = DefaultActions[0]["ForwardConfig"]["TargetGroups"]
        self.weights[ListenerArn] = {item["TargetGroupArn"]: item["Weight"] for item in groups}
        self.history.append((ListenerArn, self.weights[ListenerArn].get(GREEN, 0)))

    def describe_target_health(self, TargetGroupArn: str) -> dict[str, Any]:  # noqa: N803
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": s}} for s in self.health]}

    def production(self) -> list[int]:
        return [weight for listener, weight in self.history if listener == PRODUCTION]


class FakeIam:
    def get_role(self, RoleName: str) -> None:  # noqa: N803
        if RoleName != "deploy":
            raise refusal("NoSuchEntity", "no role", "GetRole")


class FakeSts:
    def assume_role(self, **_: Any) -> dict[str, Any]:
        return {"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}}


class FakeLambda:
    """Invokes `function(payload)`; None: the function does not exist."""

    def __init__(self) -> None:
        self.function: Callable[[bytes], None] | None = None

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        if self.function is None:
            raise refusal("ResourceNotFoundException", f"Function not found: {FunctionName}", "Invoke")
        threading.Thread(target=self.function, args=[Payload], daemon=True).start()


class FakeCloudWatch:
    def __init__(self) -> None:
        self.active: list[str] = []

    def describe_alarms(
        self,
        AlarmNames: list[str],  # noqa: N803
        AlarmTypes: list[str],  # noqa: N803
        StateValue: str,  # noqa: N803
    ) -> dict[str, Any]:
        found = [name for name in AlarmNames if name in self.active]
        alarms = [{"AlarmName": name, "StateValue": StateValue} for name in found]
        return {"MetricAlarms": alarms, "CompositeAlarms": []}


class FakeCloud(Context):
    """A context whose clients are fakes, for any role."""

    fakes: dict[tuple[str, str | None], Any]

    def client(self, service: str, role_arn: str | None = None) -> Any:
        return self.fakes[service, role_arn]

    def credentials(self, role_arn: str) -> dict[str, str]:
        found: dict[str, str] = self.fakes["sts", None].assume_role(RoleArn=role_arn, RoleSessionName="x")
        return found


class World:
    """CodeDeploy with the fakes around it, one application and one group."""

    def __init__(self, tmp_path: Path, time_scale: float = 0.0005) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.context = FakeCloud(tmp_path, "http://127.0.0.1:1", Clock(time_scale), "test", self._emit)
        self.ecs, self.elbv2, self.function = FakeEcs(), FakeElbv2(), FakeLambda()
        self.cloudwatch = FakeCloudWatch()
        self.context.fakes = {
            ("ecs", ROLE): self.ecs,
            ("elbv2", ROLE): self.elbv2,
            ("lambda", ROLE): self.function,
            ("cloudwatch", ROLE): self.cloudwatch,
            ("iam", None): FakeIam(),
            ("autoscaling", None): FakeAutoScaling(),
            ("sts", None): FakeSts(),
            ("ecs", None): self.ecs,
            ("elbv2", None): self.elbv2,
        }
        self.codedeploy = CodeDeploy(self.context)
        self.call("CreateApplication", applicationName="app", computePlatform="ECS")

    def _emit(self, source: str, kind: str, resources: list[str], detail: dict[str, Any]) -> None:
        assert (source, len(resources)) == ("aws.codedeploy", 2)
        self.events.append((kind, detail))

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.codedeploy.call(operation, params)

    def group(self, name: str = "group", **changes: Any) -> dict[str, Any]:
        """Return a CreateDeploymentGroup request."""
        pair = {
            "targetGroups": [{"name": "blue"}, {"name": "green"}],
            "prodTrafficRoute": {"listenerArns": [PRODUCTION]},
            "testTrafficRoute": {"listenerArns": [TEST]},
        }
        given = {
            "applicationName": "app",
            "deploymentGroupName": name,
            "serviceRoleArn": ROLE,
            "deploymentStyle": {
                "deploymentType": "BLUE_GREEN",
                "deploymentOption": "WITH_TRAFFIC_CONTROL",
            },
            "blueGreenDeploymentConfiguration": {
                "terminateBlueInstancesOnDeploymentSuccess": {
                    "action": "TERMINATE",
                    "terminationWaitTimeInMinutes": 1,
                }
            },
            "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
            "ecsServices": [{"clusterName": "cluster", "serviceName": "svc"}],
            "autoRollbackConfiguration": {
                "enabled": True,
                "events": [
                    *("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST", "DEPLOYMENT_STOP_ON_ALARM"),
                ],
            },
        }
        return {key: value for key, value in {**given, **changes}.items() if value is not None}

    def deploy(self, content: str = APPSPEC, **more: Any) -> str:
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
        given = {"applicationName": "app", "deploymentGroupName": "group", "revision": revision, **more}
        return str(self.call("CreateDeployment", **given)["deploymentId"])

    def info(self, deployment: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GetDeployment", deploymentId=deployment)["deploymentInfo"]
        return found

    def wait(self, deployment: str, *statuses: str, seconds: float = 10) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (found := self.info(deployment))["status"] not in statuses:
            assert time.monotonic() < deadline, f"still {found['status']} after {seconds} s"
            time.sleep(0.01)
        return found

    def wait_until(self, holds: Callable[[], bool], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "did not happen"
            time.sleep(0.01)

    def lifecycle(self, deployment: str) -> dict[str, str]:
        target = self.call("ListDeploymentTargets", deploymentId=deployment)["targetIds"][0]
        answer = self.call("GetDeploymentTarget", deploymentId=deployment, targetId=target)
        events = answer["deploymentTarget"]["ecsTarget"]["lifecycleEvents"]
        return {event["lifecycleEventName"]: event["status"] for event in events}


def slow(world: World, minutes: int = 10_000, config: str = "") -> None:
    """Give the group a long termination wait, or with `config` a long traffic shift."""
    blue = {"action": "TERMINATE", "terminationWaitTimeInMinutes": min(minutes, 2880)}
    blue_green = {"terminateBlueInstancesOnDeploymentSuccess": blue}
    given = {"blueGreenDeploymentConfiguration": blue_green}
    if config:
        given["deploymentConfigName"] = config  # type: ignore[assignment]
    world.call("UpdateDeploymentGroup", applicationName="app", currentDeploymentGroupName="group", **given)


def canary(world: World, minutes: int = 2880) -> None:
    routing = {
        "type": "TimeBasedCanary",
        "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": minutes},
    }
    given = {"deploymentConfigName": "slow", "computePlatform": "ECS", "trafficRoutingConfig": routing}
    world.call("CreateDeploymentConfig", **given)
    slow(world, config="slow")


@contextmanager
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give a world with a group, and end it: an error of a background thread fails the test."""
    monkeypatch.setattr(waiter, "POLL_SECONDS", 0.01)
    made = World(tmp_path)
    made.call("CreateDeploymentGroup", **made.group())
    yield made
    made.codedeploy.stop()
    assert made.context.background_errors == []
