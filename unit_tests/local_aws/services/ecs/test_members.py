"""The members of ECS's requests that local_aws does not act on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError, service_model
from local_aws.services.ecs import members
from unit_tests.local_aws.services.ecs.calls import FAMILY, INVALID, SERVICE, UNSUPPORTED, refused, rolling
from unit_tests.local_aws.services.ecs.fakes import CLUSTER, NETWORK, Cloud, cloud

STRATEGY = [{"capacityProvider": "FARGATE_SPOT"}]
# What local_aws does something with, by the operations whose members it might only repeat.
ACTED_ON = {
    "CreateCluster": {"clusterName", "tags", "settings"},
    "UpdateCluster": {"cluster", "settings"},
    "CreateService": {
        *("cluster", "serviceName", "taskDefinition", "loadBalancers", "desiredCount", "launchType"),
        *("deploymentConfiguration", "networkConfiguration", "healthCheckGracePeriodSeconds"),
        *("deploymentController", "tags", "propagateTags", "role", "schedulingStrategy"),
    },
    "UpdateService": {
        *("cluster", "service", "desiredCount", "taskDefinition", "deploymentConfiguration"),
        *("networkConfiguration", "forceNewDeployment", "healthCheckGracePeriodSeconds", "loadBalancers"),
        *("propagateTags", "deploymentController"),
    },
    "CreateTaskSet": {
        *("service", "cluster", "externalId", "taskDefinition", "networkConfiguration", "loadBalancers"),
        *("launchType", "scale", "tags"),
    },
    "RunTask": {
        *("cluster", "count", "group", "launchType", "networkConfiguration", "overrides", "propagateTags"),
        *("startedBy", "tags", "taskDefinition", "clientToken"),
    },
    "ListTasks": {
        *("cluster", "family", "nextToken", "maxResults", "startedBy", "serviceName", "desiredStatus"),
        "launchType",
    },
    "ListServices": {"cluster", "nextToken", "maxResults", "launchType", "schedulingStrategy"},
}


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(tmp_path, monkeypatch) as found:
        found.define()
        yield found


NOT_ACTED_ON = [
    ({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}, "deploymentConfiguration.strategy BLUE_GREEN"),
    ({"deploymentConfiguration": {"strategy": "CANARY"}}, "deploymentConfiguration.strategy CANARY"),
    ({"deploymentConfiguration": {"bakeTimeInMinutes": 5}}, "deploymentConfiguration.bakeTimeInMinutes 5"),
    (
        {"deploymentConfiguration": {"lifecycleHooks": [{"hookTargetArn": "arn:aws:lambda:x"}]}},
        "deploymentConfiguration.lifecycleHooks",
    ),
    (
        {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}},
        "deploymentConfiguration.deploymentCircuitBreaker.enable",
    ),
    (
        {"deploymentConfiguration": {"alarms": {"alarmNames": ["a"], "enable": True, "rollback": True}}},
        "deploymentConfiguration.alarms.enable",
    ),
    ({"capacityProviderStrategy": STRATEGY}, "capacityProviderStrategy"),
    ({"serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:x"}]}, "serviceRegistries"),
    ({"serviceConnectConfiguration": {"enabled": True}}, "serviceConnectConfiguration.enabled"),
]


@pytest.mark.parametrize(("given", "member"), NOT_ACTED_ON)
@pytest.mark.parametrize("operation", ["CreateService", "UpdateService"])
def test_a_setting_of_a_service_that_local_aws_does_not_act_on_is_refused_by_name(
    aws: Cloud, operation: str, given: dict[str, Any], member: str
) -> None:
    rolling(aws)
    new = {
        "cluster": CLUSTER,
        "serviceName": "new",
        "taskDefinition": FAMILY,
        "networkConfiguration": NETWORK,
    }
    expected = (UNSUPPORTED, f"local_aws does not implement {member} of {operation}")
    assert refused(aws, operation, **(new if operation == "CreateService" else SERVICE), **given) == expected


def test_a_change_of_the_deployment_controller_is_refused_by_name(aws: Cloud) -> None:
    rolling(aws)
    code, message = refused(aws, "UpdateService", **SERVICE, deploymentController={"type": "EXTERNAL"})
    assert (code, message) == (UNSUPPORTED, "local_aws does not implement a change of deploymentController")


def test_settings_of_a_deployment_that_are_off_are_accepted(aws: Cloud) -> None:
    off = {
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "alarms": {"alarmNames": [], "enable": False, "rollback": False},
    }
    assert rolling(aws, deploymentConfiguration=off)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("override", "member"),
    [
        ({"taskRoleArn": "arn:aws:iam::123456789012:role/other"}, "taskRoleArn"),
        ({"cpu": "512"}, "cpu 512"),
        ({"containerOverrides": [{"name": "app", "memory": 64}]}, "containerOverrides.memory 64"),
    ],
)
def test_an_override_that_local_aws_does_not_act_on_is_refused_by_name(
    aws: Cloud, override: dict[str, Any], member: str
) -> None:
    code, message = refused(aws, "RunTask", cluster=CLUSTER, taskDefinition=FAMILY, overrides=override)
    assert code == UNSUPPORTED
    assert message.startswith(f"local_aws does not implement overrides.{member}")


def test_every_member_of_a_request_is_acted_on_refused_or_ignored_with_a_reason() -> None:
    for operation, acted_on in ACTED_ON.items():
        shape = service_model("ecs").operation_model(operation).input_shape
        refusals = {path.partition(".")[0].removesuffix("[]") for path in members.UNSUPPORTED[operation]}
        explained = set(members.IGNORED_WITH_REASON[operation])
        assert set(shape.members if shape else ()) == acted_on | refusals | explained, operation


BOTH = (
    "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
)


@pytest.mark.parametrize(
    ("launch", "refusal"),
    [
        ({"launchType": "FARGATE", "capacityProviderStrategy": STRATEGY}, (INVALID, BOTH)),
        (
            {"launchType": "EC2"},
            (UNSUPPORTED, "local_aws does not implement launchType EC2 of CreateService"),
        ),
        ({}, (UNSUPPORTED, "local_aws does not implement launchType EC2, the default of CreateService")),
    ],
)
def test_a_service_that_fargate_does_not_run_is_refused(
    aws: Cloud, launch: dict[str, Any], refusal: tuple[str, str]
) -> None:
    given = {
        "cluster": CLUSTER,
        "serviceName": "a",
        "taskDefinition": FAMILY,
        "networkConfiguration": NETWORK,
    }
    assert refused(aws, "CreateService", **given, **launch) == refusal


@pytest.mark.parametrize("launch", [{"launchType": "EC2"}, {}])
def test_a_task_on_ec2_finds_no_container_instance(aws: Cloud, launch: dict[str, Any]) -> None:
    given = {"cluster": CLUSTER, "taskDefinition": FAMILY, "networkConfiguration": NETWORK}
    message = "No Container Instances were found in your cluster."
    assert refused(aws, "RunTask", **given, **launch) == (INVALID, message)


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"DeploymentConfiguration": {"Strategy": "BLUE_GREEN"}}, "deploymentConfiguration.strategy"),
        (
            {"DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": True, "Rollback": True}}},
            "deploymentCircuitBreaker.enable",
        ),
        ({"LaunchType": "EC2"}, "launchType EC2"),
        (
            {"NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-9"]}}},
            "The subnet ID 'subnet-9' does not exist",
        ),
    ],
)
def test_a_template_with_it_is_refused_too(aws: Cloud, given: dict[str, Any], refusal: str) -> None:
    properties = {
        "Cluster": CLUSTER,
        "ServiceName": "of-a-stack",
        "TaskDefinition": FAMILY,
        "LaunchType": "FARGATE",
        "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"]}},
        **given,
    }
    kind = aws.ecs.resource_types()["AWS::ECS::Service"]
    with pytest.raises(AwsError, match=refusal):
        kind.create(properties, "Service", "stack-dev")
    assert aws.call("ListServices", cluster=CLUSTER)["serviceArns"] == []
