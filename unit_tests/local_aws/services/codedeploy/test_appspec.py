"""AppSpec files: what is read, and what CodeDeploy refuses."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local_aws.services.codedeploy.appspec import AppSpecError, check_container, parse

ARN = "arn:aws:ecs:us-east-1:123456789012:task-definition/task:1"
PROPERTIES: dict[str, Any] = {
    "TaskDefinition": ARN,
    "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8080},
}


def document(**changes: Any) -> dict[str, Any]:
    properties = {key: value for key, value in {**PROPERTIES, **changes}.items() if value is not None}
    return {
        "version": 0.0,
        "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}],
    }


def test_the_appspec_of_this_project_is_read() -> None:
    text = (Path(__file__).parents[4] / "appspec.yaml").read_text()
    spec = parse(text.replace("<TASK_DEFINITION>", ARN).replace("${CONTAINER_PORT}", "8080"))
    assert (spec.task_definition, spec.container_name, spec.container_port) == (ARN, "app", 8080)


def test_json_with_a_network_a_strategy_and_hooks_is_read_into_the_shape_of_ecs() -> None:
    given = document(
        PlatformVersion="1.4.0",
        NetworkConfiguration={
            "AwsvpcConfiguration": {
                "Subnets": ["s-1"],
                "SecurityGroups": ["sg-1"],
                "AssignPublicIp": "DISABLED",
            }
        },
        CapacityProviderStrategy=[{"CapacityProvider": "FARGATE", "Weight": 1, "Base": 0}],
    )
    given["Hooks"] = [{"BeforeInstall": "check"}, {"AfterAllowTraffic": "verify"}]
    spec = parse(json.dumps(given))
    assert spec.network_configuration == {
        "awsvpcConfiguration": {"subnets": ["s-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}
    }
    assert spec.capacity_provider_strategy == ({"capacityProvider": "FARGATE", "weight": 1, "base": 0},)
    assert spec.hooks == {"BeforeInstall": "check", "AfterAllowTraffic": "verify"}
    assert spec.platform_version == "1.4.0"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("version: [", "not well-formed yaml"),
        ("", "missing or not a mapping"),
        (json.dumps({**document(), "version": 1}), "must be 0.0"),
        (json.dumps({**document(), "Resources": []}), "exactly one resource"),
        (json.dumps({**document(), "files": []}), "is not known"),
        (json.dumps(document(TaskDefinition="<TASK_DEFINITION>")), "not the ARN of a task definition"),
        (json.dumps(document(LoadBalancerInfo=None)), "LoadBalancerInfo is missing"),
        (json.dumps(document(LoadBalancerInfo={"ContainerName": "app"})), "ContainerPort"),
        (json.dumps(document(LoadbalancerInfo={})), "is not known"),
        (json.dumps({**document(), "Hooks": [{"AfterLaunch": "x"}]}), "AfterLaunch"),
        (json.dumps(document()).replace("AWS::ECS::Service", "AWS::Lambda::Function"), "is not valid"),
    ],
)
def test_an_appspec_that_codedeploy_refuses_is_refused(content: str, reason: str) -> None:
    with pytest.raises(AppSpecError, match=reason):
        parse(content)


def test_the_container_and_its_port_must_be_in_the_task_definition() -> None:
    """Pitfall B2."""
    spec = parse(json.dumps(document()))
    definition = {"containerDefinitions": [{"name": "app", "portMappings": [{"containerPort": 8080}]}]}
    check_container(spec, definition)
    definition["containerDefinitions"][0]["portMappings"] = [{"containerPort": 80}]
    with pytest.raises(AppSpecError, match="did not have a container port 8080"):
        check_container(spec, definition)
    with pytest.raises(AppSpecError, match="The container app does not exist"):
        check_container(spec, {"containerDefinitions": [{"name": "web"}]})


@pytest.mark.parametrize("place", ["version: *j", "version: 0.0\nresources: *j", "version: 0.0\nhooks: *j"])
def test_aliases_of_aliases_are_refused_before_a_message_writes_them_out(place: str) -> None:
    levels = [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in pairwise("abcdefghij")]
    with pytest.raises(AppSpecError, match="follows no alias"):
        parse("\n".join(["a: &a x", *levels, place]))
