"""The alarms of both target groups, which roll a deployment back and notify the topic."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk.assertions import Template

from infrastructure.constructs.alarms import MOST_METRICS, failed_invocation_alarms
from infrastructure.naming import Names
from unit_tests.infrastructure.synthesized import Templates, plain

COLOURS = ("blue", "green")
# Characters at the end of a logical id.
HASH = 8


def alarm(templates: Templates, name: str) -> dict[str, Any]:
    """The properties of the alarm with this name."""
    return templates.only("AWS::CloudWatch::Alarm", AlarmName=name).properties


def queries(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics of an alarm on metric math."""
    return [each["MetricStat"] for each in properties["Metrics"] if "MetricStat" in each]


def test_every_alarm_notifies_and_those_of_a_release_stop_a_deployment(templates: Templates) -> None:
    """An alarm of the group blocks the next deployment: not the one that brings tasks back (pitfall N10)."""
    alarms = templates.resources("AWS::CloudWatch::Alarm")
    group = templates.only("AWS::CodeDeploy::DeploymentGroup").properties
    topic = templates.only("AWS::SNS::Topic")
    names = {f"<{alarm.id}>": alarm.properties["AlarmName"] for alarm in alarms}
    watched = {names[plain(each["Name"])] for each in group["AlarmConfiguration"]["Alarms"]}
    assert watched == {
        *(f"{what}-{colour}-dev" for what in ("errors", "unhealthy", "latency") for colour in COLOURS),
        "load-balancer-errors-dev",
    }
    others = {re.sub(r"(-\d+)?-dev$", "", name) for name in set(names.values()) - watched}
    assert others == {"drift-check-errors", "no-healthy-task", "failed-invocations"}
    assert group["AlarmConfiguration"]["Enabled"] is True
    for each in alarms:
        assert plain(each.properties["AlarmActions"]) == [f"<{topic.id}>"]
        assert each.properties["TreatMissingData"] in ("notBreaching", "breaching")


@pytest.mark.parametrize("colour", COLOURS)
def test_each_target_group_has_its_own_alarms(templates: Templates, colour: str) -> None:
    """After a release the other group has the traffic (pitfall N4)."""
    metrics = [alarm(templates, f"{what}-{colour}-dev") for what in ("unhealthy", "latency")]
    metrics += [query["Metric"] for query in queries(alarm(templates, f"errors-{colour}-dev"))]
    assert len(metrics) == 4
    for metric in metrics:
        dimensions = {each["Name"]: plain(each["Value"]) for each in metric["Dimensions"]}
        assert set(dimensions) == {"LoadBalancer", "TargetGroup"}
        assert colour.title() in dimensions["TargetGroup"]


@pytest.mark.parametrize("colour", COLOURS)
def test_latency_is_the_slowest_twentieth_for_minutes(templates: Templates, colour: str) -> None:
    slow = alarm(templates, f"latency-{colour}-dev")
    assert (slow["MetricName"], slow["ExtendedStatistic"]) == ("TargetResponseTime", "p95")
    assert "Statistic" not in slow
    assert slow["EvaluateLowSampleCountPercentile"] == "ignore", "of three requests it is the slowest"
    assert (slow["Period"], slow["EvaluationPeriods"], slow["Threshold"]) == (60, 3, 2)


def test_errors_without_a_task_count_for_the_load_balancer(templates: Templates) -> None:
    """HTTPCode_ELB_5XX_Count has the answers to malformed requests too (pitfall N9)."""
    metrics = [query["Metric"] for query in queries(alarm(templates, "load-balancer-errors-dev"))]
    assert {metric["MetricName"] for metric in metrics} == {
        *(f"HTTPCode_ELB_{status}_Count" for status in (502, 503, 504)),
        "RequestCount",
    }
    assert {each["Name"] for metric in metrics for each in metric["Dimensions"]} == {"LoadBalancer"}


def test_an_alarm_on_filled_data_looks_at_more_than_the_last_minute(templates: Templates) -> None:
    """FILL makes a minute 0 whose data is late."""
    filled = [
        each.properties
        for each in templates.resources("AWS::CloudWatch::Alarm")
        if "FILL" in json.dumps(each.properties.get("Metrics"))
    ]
    assert len(filled) == 4
    for properties in filled:
        assert properties["EvaluationPeriods"] >= 3


def test_the_failed_invocations_of_every_rule_raise_an_alarm(templates: Templates, other: Templates) -> None:
    """Without an alarm only a metric knows of a lost notification (pitfall G5)."""
    for each in (templates, other):
        rules = [rule.id for rule in each.resources("AWS::Events::Rule")]
        assert rules
        assert sorted(watched_rules(each)) == sorted(rules)


def watched_rules(templates: Templates) -> list[str]:
    """The logical ids of the rules whose failed invocations raise an alarm."""
    stats = [
        query
        for one in templates.resources("AWS::CloudWatch::Alarm")
        if one.properties["AlarmName"].startswith("failed-invocations-")
        for query in queries(one.properties)
    ]
    named = [plain(each["Value"]) for query in stats for each in query["Metric"]["Dimensions"]]
    # For a rule of another nested stack there is a parameter, whose name contains its id with another hash.
    rules = [rule.id for rule in templates.resources("AWS::Events::Rule")]
    return [rule for name in named for rule in rules if rule[:-HASH] in name]


def test_eleven_rules_need_a_second_alarm() -> None:
    """An alarm on metric math takes ten metrics (pitfall G5)."""
    stack = Stack()
    rules = [events.CfnRule(stack, f"Rule{number}", state="ENABLED") for number in range(MOST_METRICS + 1)]
    alarms = failed_invocation_alarms(stack, Names("dev"), rules)
    found = Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm").values()
    assert len(alarms) == len(found) == 2
    assert [len(queries(each["Properties"])) for each in found] == [MOST_METRICS, 1]


def test_the_first_canary_step_is_longer_than_any_alarm_needs(templates: Templates) -> None:
    """An alarm after the shift can no longer limit the traffic."""
    group = templates.only("AWS::CodeDeploy::DeploymentGroup").properties
    watched = [each["Name"]["Ref"] for each in group["AlarmConfiguration"]["Alarms"]]
    for each in templates.resources("AWS::CloudWatch::Alarm"):
        if each.id not in watched:
            continue
        properties = each.properties
        periods = {query["Period"] for query in queries(properties)} if "Metrics" in properties else set()
        (period,) = periods or {properties["Period"]}
        assert period * properties["EvaluationPeriods"] < 5 * 60
