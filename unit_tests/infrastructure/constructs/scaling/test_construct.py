"""`scaling` of the catalogue: the target, its policy, and what suspends it in a deployment (pitfall C8)."""

from __future__ import annotations

from typing import Any

import pytest

from infrastructure.config.catalogue import read_services
from infrastructure.config.context_key import ConfigError
from infrastructure.config.scaling import Scaling
from unit_tests.infrastructure.synthesized import Templates, plain, role, statements, synthesize

LIMITS = {"min": 2, "max": 6}
NAME = "scaling-suspender-dev"


@pytest.fixture(scope="module")
def scaling(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of a service that scales by its requests."""
    entry = {"scaling": {**LIMITS, "requestsPerTarget": 600}}
    return synthesize(
        tmp_path_factory.mktemp("scaling.out"), environmentSuffix="dev", services={"sample-service": entry}
    )


def configuration(templates: Templates) -> dict[str, Any]:
    policy = templates.only("AWS::ApplicationAutoScaling::ScalingPolicy", PolicyName="scaling-policy-dev")
    found: dict[str, Any] = policy.properties["TargetTrackingScalingPolicyConfiguration"]
    return found


def test_the_limits_and_one_metric_are_read() -> None:
    read = read_services({"orders": {"scaling": {**LIMITS, "cpuPercent": 60}}})["orders"].scaling
    assert read == Scaling(2, 6, cpu_percent=60)
    assert read_services({"orders": {}})["orders"].scaling is None


@pytest.mark.parametrize(
    "given",
    [
        LIMITS,
        {**LIMITS, "cpuPercent": 60, "requestsPerTarget": 600},
        {**LIMITS, "cpuPercent": 100},
        {**LIMITS, "requestsPerTarget": 0},
        {**LIMITS, "cpuPercent": 60, "cooldown": 60},
        {"max": 6, "cpuPercent": 60},
        {"min": 0, "max": 6, "cpuPercent": 60},
        {"min": 7, "max": 6, "cpuPercent": 60},
        {"min": 2, "max": 101, "cpuPercent": 60},
        "2-6",
    ],
)
def test_a_mistake_is_one_clear_line(given: object) -> None:
    with pytest.raises(ConfigError, match=r"services.orders.scaling .* an object with min and max") as error:
        read_services({"orders": {"scaling": given}})
    assert "\n" not in str(error.value)


def test_without_it_nothing_scales(templates: Templates) -> None:
    assert not [each for each in templates.resources() if "AutoScaling" in each.type]
    assert "scaling" not in str(templates.by_part)


def test_the_target_is_the_desired_count_of_the_service(scaling: Templates) -> None:
    target = scaling.only("AWS::ApplicationAutoScaling::ScalableTarget")
    assert {key: target.properties[key] for key in ("MinCapacity", "MaxCapacity", "ResourceId")} == {
        "MinCapacity": 2,
        "MaxCapacity": 6,
        "ResourceId": "service/cluster-dev/service-dev",
    }
    assert "SuspendedState" not in target.properties, "a deployment of the stack would resume it"
    service = scaling.only("AWS::ECS::Service")
    assert service.id in target.body["DependsOn"]


def test_the_service_is_as_without_it_so_that_an_environment_can_begin_to_scale(
    templates: Templates, scaling: Templates
) -> None:
    """ECS rejects every update of it by CloudFormation (pitfall C1), so none resets its number of tasks."""
    before, after = templates.only("AWS::ECS::Service"), scaling.only("AWS::ECS::Service")
    assert (after.id, after.body) == (before.id, before.body)


def test_requests_are_those_of_both_target_groups(scaling: Templates) -> None:
    found = configuration(scaling)
    assert found["TargetValue"] == 600
    assert "PredefinedMetricSpecification" not in found
    queries = found["CustomizedMetricSpecification"]["Metrics"]
    counted = {
        each["Id"]: plain(each["MetricStat"]["Metric"]["Dimensions"])
        for each in queries
        if each.get("MetricStat", {}).get("Metric", {}).get("MetricName") == "RequestCountPerTarget"
    }
    assert set(counted) == {"blueRequests", "greenRequests"}
    assert counted["blueRequests"] != counted["greenRequests"]
    (returned,) = (each for each in queries if each["ReturnData"])
    assert returned["Expression"] == "SUM([blueRequests, greenRequests, none])"


def test_cpu_is_that_of_the_service(tmp_path: Any) -> None:
    entry = {"scaling": {**LIMITS, "cpuPercent": 60}}
    found = configuration(synthesize(tmp_path, environmentSuffix="dev", services={"sample-service": entry}))
    assert found["TargetValue"] == 60
    predefined = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    assert found["PredefinedMetricSpecification"] == predefined


def test_every_start_and_end_of_a_deployment_invokes_the_function(scaling: Templates) -> None:
    function = scaling.only("AWS::Lambda::Function", FunctionName=NAME)
    deployments, regularly = (
        scaling.only("AWS::Events::Rule", Name=f"scaling-{each}-dev").properties
        for each in ("deployments", "regularly")
    )
    for rule in (deployments, regularly):
        assert [plain(target["Arn"]) for target in rule["Targets"]] == [f"<{function.id}.Arn>"]
    assert deployments["EventPattern"]["detail"] == {
        "application": ["application-dev"],
        "deploymentGroup": ["deployment-group-dev"],
        "state": ["START", "SUCCESS", "FAILURE", "STOP"],
    }
    assert regularly["ScheduleExpression"] == "rate(5 minutes)"


def test_a_function_that_fails_again_and_again_raises_an_alarm(
    templates: Templates, scaling: Templates
) -> None:
    name = "scaling-suspender-errors-dev"
    alarm = scaling.only("AWS::CloudWatch::Alarm", AlarmName=name).properties
    assert (alarm["MetricName"], alarm["Threshold"], alarm["DatapointsToAlarm"]) == ("Errors", 1, 2)
    assert plain(alarm["Dimensions"]) == [{"Name": "FunctionName", "Value": NAME}]
    assert alarm["AlarmActions"]
    group = scaling.only("AWS::CodeDeploy::DeploymentGroup")
    assert name not in str(plain(group.properties["AlarmConfiguration"])), "it says nothing of a release"
    assert name not in str(templates.by_part)


def test_the_function_may_change_the_target_of_its_own_service_only(scaling: Templates) -> None:
    """Application Auto Scaling requires the permissions of ECS, too (pitfall C12)."""
    account = "us-east-1:<AWS::AccountId>"
    allowed = {
        action: each["Resource"]
        for each in statements(role(scaling, "scaling-suspender-role-dev"))
        for action in each["Action"]
        if not action.startswith("logs:")
    }
    service = [f"arn:aws:ecs:{account}:service/cluster-dev/service-dev"]
    group = f"arn:aws:codedeploy:{account}:deploymentgroup:application-dev/deployment-group-dev"
    assert allowed == {
        "codedeploy:ListDeployments": [group],
        "application-autoscaling:RegisterScalableTarget": [
            f"arn:aws:application-autoscaling:{account}:scalable-target/*"
        ],
        "ecs:DescribeServices": service,
        "ecs:UpdateService": service,
    }
