"""The alarms of both target groups, which roll a deployment back and notify the topic."""

from __future__ import annotations

from typing import Any

import pytest

from unit_tests.infrastructure.synthesized import Templates, plain

COLOURS = ("blue", "green")


def alarm(templates: Templates, name: str) -> dict[str, Any]:
    """The properties of the alarm with this name."""
    return templates.only("AWS::CloudWatch::Alarm", AlarmName=name).properties


def test_every_alarm_stops_a_deployment_and_notifies_the_topic(templates: Templates) -> None:
    alarms = templates.resources("AWS::CloudWatch::Alarm")
    group = templates.only("AWS::CodeDeploy::DeploymentGroup").properties
    topic = templates.only("AWS::SNS::Topic")
    watched = {plain(each["Name"]) for each in group["AlarmConfiguration"]["Alarms"]}
    assert watched == {f"<{alarm.id}>" for alarm in alarms}
    assert group["AlarmConfiguration"]["Enabled"] is True
    assert {alarm.properties["AlarmName"] for alarm in alarms} == {
        *(f"{what}-{colour}-dev" for what in ("errors", "unhealthy", "latency") for colour in COLOURS),
        "load-balancer-errors-dev",
    }
    for each in alarms:
        assert plain(each.properties["AlarmActions"]) == [f"<{topic.id}>"]
        assert each.properties["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("colour", COLOURS)
def test_each_target_group_has_its_own_alarms(templates: Templates, colour: str) -> None:
    """After a release the other group has the traffic (pitfall N4)."""
    for what in ("errors", "unhealthy", "latency"):
        dimensions = {
            each["Name"]: plain(each["Value"])
            for each in alarm(templates, f"{what}-{colour}-dev")["Dimensions"]
        }
        assert set(dimensions) == {"LoadBalancer", "TargetGroup"}
        assert colour.title() in dimensions["TargetGroup"]


@pytest.mark.parametrize("colour", COLOURS)
def test_latency_is_the_slowest_twentieth_for_minutes(templates: Templates, colour: str) -> None:
    slow = alarm(templates, f"latency-{colour}-dev")
    assert (slow["MetricName"], slow["ExtendedStatistic"]) == ("TargetResponseTime", "p95")
    assert "Statistic" not in slow
    assert (slow["Period"], slow["EvaluationPeriods"], slow["Threshold"]) == (60, 3, 2)


def test_errors_without_a_task_count_for_the_load_balancer(templates: Templates) -> None:
    """HTTPCode_ELB_5XX_Count has no target group, so the alarms of the groups do not count it."""
    errors = alarm(templates, "load-balancer-errors-dev")
    assert errors["MetricName"] == "HTTPCode_ELB_5XX_Count"
    assert [each["Name"] for each in errors["Dimensions"]] == ["LoadBalancer"]


def test_the_first_canary_step_is_longer_than_any_alarm_needs(templates: Templates) -> None:
    """An alarm after the shift can no longer limit the traffic."""
    for each in templates.resources("AWS::CloudWatch::Alarm"):
        assert each.properties["Period"] * each.properties["EvaluationPeriods"] < 5 * 60
