"""The CDK CLI of a fleet whose environments differ from what is deployed as a test says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operations.dropped_settings import SETTINGS_GUARD
from operations.fleet.cdk import Cdk
from unit_tests.operations.account_fakes import FakeAccount, named

NONE = "\n✨  Number of stacks with differences: 0\n"
ALARM = "Resources\n[+] AWS::CloudWatch::Alarm Pipeline/Alarms/New New12345\n"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/target-group-blue/1"


def differing(resources: str = ALARM) -> str:
    """Return what `cdk diff` prints of one stack."""
    return f"Stack Stack (stack-dev)\n{resources}\n✨  Number of stacks with differences: 1\n"


class FakeCli:
    """`cdk`, as a function: `deployed` are the environments in their order, `most` is how many at once."""

    def __init__(self, output: str = NONE, **outputs: str) -> None:
        self.output = output
        self.outputs = outputs
        self.failing: set[str] = set()
        self.seconds = 0.0
        self.commands: list[str] = []
        self.deployed: list[str] = []
        self.most = 0
        self._running = 0
        self._lock = threading.Lock()

    def __call__(self, command: str, *arguments: str, log: Path) -> int:
        suffix = log.stem
        with self._lock:
            self.commands.append(f"{command} {suffix}")
        return int(getattr(self, command)(suffix, arguments, log))

    def synth(self, suffix: str, arguments: tuple[str, ...], _log: Path) -> int:
        folder = Path(arguments[-1])
        folder.mkdir(parents=True)
        properties = {"stackName": f"stack-{suffix}", "templateFile": "root.json"}
        stack = {"type": "aws:cloudformation:stack", "properties": properties}
        (folder / "manifest.json").write_text(json.dumps({"artifacts": {"Stack": stack}}))
        (folder / "root.json").write_text(json.dumps(template()))
        return 0

    def diff(self, suffix: str, _arguments: tuple[str, ...], log: Path) -> int:
        is_deployed = suffix in self.deployed and suffix not in self.failing
        with log.open("a") as output:
            output.write(NONE if is_deployed else self.outputs.get(suffix, self.output))
        return 0

    def deploy(self, suffix: str, _arguments: tuple[str, ...], log: Path) -> int:
        with self._lock:
            self.deployed.append(suffix)
            self._running += 1
            self.most = max(self.most, self._running)
        time.sleep(self.seconds)
        with self._lock:
            self._running -= 1
        if suffix in self.failing:
            with log.open("a") as output:
                output.write(f"stack-{suffix} failed: UPDATE_ROLLBACK_COMPLETE\n\n")
            return 1
        return 0


def template(**settings: str) -> dict[str, Any]:
    guard = {"Type": SETTINGS_GUARD, "Properties": {"Settings": settings, "DropSettings": []}}
    return {"Resources": {"Guard": guard}}


def stack(suffix: str, service: str = "sample-service", status: str = "UPDATE_COMPLETE") -> dict[str, Any]:
    tags = {"project": "python-service-pipeline", "environment": suffix, "service": service}
    return {
        "StackName": f"stack-{suffix}",
        "StackId": f"arn:stack-{suffix}",
        "StackStatus": status,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def account(*stacks: dict[str, Any], settings: Mapping[str, str] | None = None) -> FakeAccount:
    """Return an account with environments, whose listeners point to what was released last."""

    def describe_stacks(**asked: Any) -> dict[str, Any]:
        found = [each for each in stacks if asked.get("StackName", each["StackName"]) == each["StackName"]]
        return {"Stacks": found}

    pair = {
        "targetGroups": [{"name": "target-group-blue"}],
        "prodTrafficRoute": {"listenerArns": ["production"]},
    }
    group = {
        "deploymentGroupName": "deployment-group",
        "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
        "ecsServices": [{"clusterName": "cluster", "serviceName": "service"}],
    }
    task_set = {"id": "ecs-svc/1", "status": "PRIMARY", "loadBalancers": [{"targetGroupArn": GROUP}]}
    forward = {"Type": "forward", "TargetGroupArn": GROUP}
    listener = {"ListenerArn": "production", "Port": 80, "Protocol": "HTTP", "DefaultActions": [forward]}
    return FakeAccount(
        named(
            cloudformation__describe_stacks=describe_stacks,
            cloudformation__list_stack_resources={"StackResourceSummaries": []},
            cloudformation__get_template={"TemplateBody": template(**(settings or {}))},
            codedeploy__list_deployments={"deployments": []},
            codedeploy__get_deployment_group={"deploymentGroupInfo": group},
            ecs__describe_services={"services": [{"taskSets": [task_set]}]},
            elbv2__describe_target_groups={
                "TargetGroups": [{"TargetGroupArn": GROUP, "TargetGroupName": "target-group-blue"}]
            },
            elbv2__describe_target_health={"TargetHealthDescriptions": []},
            elbv2__describe_listeners={"Listeners": [listener]},
            sts__get_caller_identity={"Account": "111111111111"},
        )
    )


def cdk(folder: Path, cli: FakeCli) -> Cdk:
    return Cdk(folder, run=cli)
