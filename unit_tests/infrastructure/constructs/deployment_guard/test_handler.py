"""The deployment guard: which deployments it stops, with the platform's files as the stack fills them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from infrastructure.constructs.deployment_guard.construct import PROJECT
from infrastructure.constructs.deployment_guard.function import handler as guard
from infrastructure.constructs.release_files import fill
from unit_tests.infrastructure.constructs.deployment_guard.guard_fakes import (
    DIGEST,
    EVENT,
    IMAGES,
    NAME,
    SIDECAR,
    Aws,
    Task,
    registered,
)
from unit_tests.infrastructure.synthesized import Templates, plain


@pytest.fixture
def aws(templates: Templates, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A deployment of what Build makes of a commit with a sidecar, a variable and an own path."""
    function = templates.only("AWS::Lambda::Function", FunctionName="deployment-guard-dev")
    variables = plain(function.properties["Environment"]["Variables"])
    variables["RULES"] = variables["RULES"].replace("<AWS::AccountId>", "123456789012")
    rules = json.loads(variables["RULES"])
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert variables["IS_TARGET"] == "false"
    monkeypatch.setenv("IS_TARGET", "true")
    values = {
        "AWS_REGION": "us-east-1",
        "COMMIT": "0" * 40,
        "CONTAINER_NAME": "app",
        "CONTAINER_PORT": "8080",
        "EXECUTION_ROLE_ARN": rules["task"]["executionRoleArn"],
        "HEALTH_PATH": "/another/path",
        "TASK_CPU": "512",
        "TASK_FAMILY": "task-dev",
        "TASK_LOG_GROUP": rules["container"]["logConfiguration"]["options"]["awslogs-group"],
        "TASK_MEMORY": "1024",
        "TASK_ROLE_ARN": rules["task"]["taskRoleArn"],
        "TASK_SECRETS": json.dumps([{"name": "KEY", "valueFrom": "/dev/KEY"}]),
        "TEST_TRAFFIC_HOOK": "test-traffic-hook-dev",
    }
    platform = json.loads((PROJECT / "taskdef.json").read_text())
    given = {"containerDefinitions": [{"name": "app", "environment": [{"name": "A", "value": "b"}]}, SIDECAR]}
    appspec = fill.fill((PROJECT / "appspec.yaml").read_text(), values).replace("<TASK_DEFINITION>", NAME)
    found = Aws(appspec, registered(fill.task_definition(platform, given, values)))
    monkeypatch.setattr(boto3, "client", found.client)
    return found


def as_json(**changed: Any) -> str:
    """Return the AppSpec in JSON, as a person may deploy it."""
    properties = {
        "TaskDefinition": NAME,
        "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8080},
        **changed.pop("Properties", {}),
    }
    service = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}
    hooks = [{"AfterAllowTestTraffic": "test-traffic-hook-dev"}]
    return json.dumps({"version": 0.0, "Resources": [service], "Hooks": hooks, **changed})


def refused(aws: Aws) -> str:
    """Check the deployment; return why it was stopped, or an empty text."""
    reason = guard.handler(EVENT, None).get("d-1", "")
    assert aws.stopped == (["d-1"] if reason else [])
    assert [each["Detail"]["outcome"] for each in aws.told] == (["stopped"] if reason else [])
    return reason


def test_what_build_makes_of_a_commit_goes_on(aws: Aws) -> None:
    assert refused(aws) == ""


@pytest.mark.parametrize("quote", ["'", ""])
def test_the_quotes_of_a_value_do_not_matter(aws: Aws, quote: str) -> None:
    aws.appspec = aws.appspec.replace('"', quote)
    assert refused(aws) == ""


@pytest.mark.parametrize("properties", [{}, {"PlatformVersion": "LATEST"}])
def test_the_same_appspec_in_json_goes_on(aws: Aws, properties: dict[str, str]) -> None:
    aws.appspec, aws.revision_type = as_json(Properties=properties), "string"
    assert refused(aws) == ""


def without_hooks(text: str) -> str:
    return text.partition("Hooks:")[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_hooks, "nothing in place of Hooks:"),
        (lambda text: text.replace("Hooks:", "# Hooks:"), "in place of Hooks:"),
        (lambda text: text.replace("  - After", "#  - After"), "nothing in place of - AfterAllowTestTraffic"),
        (lambda text: text.replace("AfterAllowTestTraffic", "BeforeInstall"), "has - BeforeInstall"),
        (lambda text: text.replace("hook-dev", "hook-other"), 'has - AfterAllowTestTraffic: "test-traffic'),
        # In YAML, all that follows is part of one text.
        (lambda text: text.replace("LATEST", '"LATEST') + '"', 'has PlatformVersion: "LATEST in place'),
        (lambda text: text.replace("LATEST", "|"), "has PlatformVersion: | in place"),
        (lambda text: text + "\nHooks: []\n", "also has Hooks: []"),
        (lambda text: text + "\n---\nversion: 0.0\n", "also has ---"),
        (lambda text: text.replace("TargetService:", "TargetService: &a"), "has - TargetService: &a"),
        (
            lambda text: text.replace("PlatformVersion: LATEST", "NetworkConfiguration:"),
            "has NetworkConfiguration:",
        ),
        (lambda text: text.replace(NAME, "task-dev"), "has TaskDefinition: task-dev"),
        (lambda _: "", "nothing in place of version"),
        (lambda _: as_json(Hooks=[]), "nothing in place of Hooks:"),
        (lambda _: as_json(Hooks=[{"AfterInstall": "test-traffic-hook-dev"}]), "also has AfterInstall"),
        (lambda _: as_json(hooks=[]), "also has hooks"),
        (lambda _: as_json()[:-1] + ', "Hooks": []}', "a key stands twice"),
        (lambda _: as_json(Properties={"NetworkConfiguration": {}}), "also has NetworkConfiguration"),
        (lambda _: as_json(Resources=[]), "has another form"),
        (lambda _: '{"Resources": ' + "[" * 100_000, "has another form"),
    ],
)
def test_another_appspec_is_refused(aws: Aws, change: Callable[[str], str], said: str) -> None:
    aws.appspec = change(aws.appspec)
    assert said in refused(aws)


@pytest.mark.parametrize(
    ("change", "goes_on"),
    [
        (lambda text: text.replace("version: 0.0", "version: '0'"), True),
        (lambda _: as_json(Properties={"Unknown": 1}), True),
        (lambda _: json.dumps({"revised": {"AfterAllowTestTraffic": "test-traffic-hook-dev"}}), True),
        (lambda _: "", True),
        (without_hooks, False),
        (lambda text: text.replace("Hooks:", "# Hooks:").replace("  - After", "#  - After"), False),
        (lambda text: text.replace("hook-dev", "hook-dev-2"), False),
    ],
)
def test_without_promotions_an_unknown_form_goes_on_if_it_names_the_hook(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str], goes_on: bool
) -> None:
    """This environment's own Build has written it, and AWS documents no form in which it returns it."""
    monkeypatch.setenv("IS_TARGET", "false")
    aws.appspec = change(aws.appspec)
    assert (refused(aws) == "") == goes_on


def test_an_appspec_in_a_bucket_is_refused(aws: Aws) -> None:
    """Only its location is known."""
    aws.revision_type = "s3Location"
    assert "nothing in place of version" in refused(aws)


@pytest.mark.parametrize(
    "changed",
    [
        {"taskRoleArn": "arn:aws:iam::123456789012:role/execution-role-dev"},
        {"executionRoleArn": "arn:aws:iam::123456789012:role/task-role-dev"},
        {"family": "task-other"},
        {"volumes": [{"name": "files"}]},
        {"pidMode": "task"},
        {"ephemeralStorage": {"sizeInGiB": 200}},
        {"proxyConfiguration": {"containerName": "collector"}},
    ],
    ids=str,
)
def test_another_field_of_the_task_is_refused(aws: Aws, changed: Task) -> None:
    aws.task |= changed
    assert f"TaskDefinitionError: {next(iter(changed))} is " in refused(aws)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("command", ["sh"]),
        ("entryPoint", ["sh"]),
        ("user", "0:0"),
        ("user", None),
        ("readonlyRootFilesystem", False),
        ("privileged", True),
        ("linuxParameters", {"capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}}),
        ("healthCheck", {"command": ["CMD", "sh"]}),
        ("image", f"{IMAGES}:latest"),
        ("image", f"public.ecr.aws/other@{DIGEST}"),
        ("logConfiguration", {"logDriver": "splunk"}),
        ("environmentFiles", [{"value": "arn:aws:s3:::bucket/file", "type": "s3"}]),
        ("mountPoints", [{"sourceVolume": "files"}]),
        ("volumesFrom", [{"sourceContainer": "collector"}]),
    ],
)
def test_another_field_of_the_service_s_container_is_refused(aws: Aws, field: str, value: object) -> None:
    aws.task["containerDefinitions"][0][field] = value
    assert refused(aws).startswith(f"TaskDefinitionError: app.{field} is ")


def test_a_health_check_that_runs_more_than_a_path_is_refused(aws: Aws) -> None:
    command = aws.task["containerDefinitions"][0]["healthCheck"]["command"]
    command[-1] = command[-1].replace("/another/path", "/'); import os; os.system('")
    assert "app.healthCheck is " in refused(aws)


def test_another_port_for_the_service_is_refused(aws: Aws) -> None:
    """Its sidecar could answer on the port that users reach."""
    aws.task["containerDefinitions"][0]["environment"].append({"name": "PORT", "value": "9090"})
    assert "app.environment has PORT ['8080', '9090']" in refused(aws)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", f"docker.io/somebody/else@{DIGEST}"),
        ("image", "public.ecr.aws/docker/library/python:3.9"),
        ("user", "0:0"),
        ("readonlyRootFilesystem", False),
        ("secrets", [{"name": "KEY", "valueFrom": "/dev/KEY"}]),
        ("portMappings", [{"containerPort": 8080}]),
    ],
)
def test_another_field_of_a_sidecar_is_refused(aws: Aws, field: str, value: object) -> None:
    aws.task["containerDefinitions"][1][field] = value
    assert refused(aws).startswith(f"TaskDefinitionError: collector.{field} is ")


def test_a_second_container_with_the_service_s_name_is_refused(aws: Aws) -> None:
    aws.task["containerDefinitions"].append(aws.task["containerDefinitions"][0])
    assert "not exactly one container is named app" in refused(aws)


def test_a_deployment_that_overrides_its_group_is_refused(aws: Aws) -> None:
    aws.shift = {"overrideAlarmConfiguration": {"enabled": False}}
    assert refused(aws) == "ShiftError: it overrides the alarms of its group"


def test_a_rollback_goes_on_whatever_it_restores(aws: Aws) -> None:
    """Each version that CodeDeploy restores was checked when it was released."""
    aws.creator, aws.appspec = "codeDeployRollback", ""
    assert refused(aws) == ""


def test_what_cannot_be_checked_is_stopped(aws: Aws) -> None:
    aws.broken = True
    assert refused(aws) == "RuntimeError: throttled"


def test_the_event_of_a_task_checks_the_deployments_in_progress(aws: Aws) -> None:
    aws.active, aws.appspec = ("d-7",), ""
    assert guard.handler({"detail": {"lastStatus": "PENDING"}}, None).keys() == {"d-7"}
    assert aws.stopped == ["d-7"]


def test_a_deployment_that_has_failed_before_is_not_told(aws: Aws) -> None:
    """As CodeDeploy fails one without an AppSpec that it can read; the topic is told of the failure."""
    aws.ended, aws.appspec = "Failed", ""
    guard.handler(EVENT, None)
    assert aws.told == []


def test_a_deployment_that_has_succeeded_is_told_as_one_to_roll_back(aws: Aws) -> None:
    aws.ended, aws.appspec = "Succeeded", ""
    guard.handler(EVENT, None)
    (told,) = aws.told
    assert told["Source"] == "deployment-guard-dev"
    assert told["Detail"]["outcome"] == "NOT stopped, because it had ended: roll back"


def test_the_reason_fits_into_the_template_of_the_topic(aws: Aws) -> None:
    aws.appspec = 'version: "0.0\\\n' + "é" * 1000
    refused(aws)
    reason = aws.told[0]["Detail"]["reason"]
    assert len(reason) <= 500
    assert json.loads(f'"{reason}"') == reason
    assert reason.isascii()
