"""The dashboard: every widget shows something that exists."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from infrastructure.constructs.alarms import ERROR_PERCENT
from unit_tests.infrastructure.logs_insights import run_query
from unit_tests.infrastructure.synthesized import Templates, plain
from unit_tests.operations.release_history import HISTORY, run

# Namespace -> metric -> dimensions, by the pages that infrastructure/constructs/dashboard.py links to.
PER_GROUP = ("LoadBalancer", "TargetGroup")
KNOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "AWS/CodePipeline": dict.fromkeys(("PipelineDuration", "FailedPipelineExecutions"), ("PipelineName",)),
    "AWS/CodeBuild": dict.fromkeys(("Duration", "SucceededBuilds", "FailedBuilds"), ("ProjectName",)),
    "AWS/ApplicationELB": {
        **dict.fromkeys(
            (
                "RequestCount",
                "HTTPCode_Target_5XX_Count",
                "TargetResponseTime",
                "HealthyHostCount",
                "UnHealthyHostCount",
            ),
            PER_GROUP,
        ),
        **dict.fromkeys((f"HTTPCode_ELB_{status}_Count" for status in (502, 503, 504)), ("LoadBalancer",)),
    },
    "AWS/ECS": dict.fromkeys(("CPUUtilization", "MemoryUtilization"), ("ClusterName", "ServiceName")),
}

# The titles of DORA's four keys.
CHANGES = "Changes"
LEAD_TIME = "From the start of an execution to all traffic"


@pytest.fixture(scope="module")
def widgets(templates: Templates) -> list[dict[str, Any]]:
    """The widgets of the one dashboard."""
    dashboard = templates.only("AWS::CloudWatch::Dashboard", DashboardName="dashboard-dev")
    found: list[dict[str, Any]] = json.loads(plain(dashboard.properties["DashboardBody"]))["widgets"]
    return found


def metrics(widgets: list[dict[str, Any]]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Namespace, name and dimensions of each metric on the dashboard; a dict is an expression."""
    rows = [row for widget in widgets for row in widget["properties"].get("metrics", [])]
    rows = [row for row in rows if isinstance(row[0], str)]
    return [
        (row[0], row[1], tuple(sorted(part for part in row[2::2] if isinstance(part, str)))) for row in rows
    ]


def test_no_metric_is_shown_that_aws_does_not_publish(widgets: list[dict[str, Any]]) -> None:
    shown = metrics(widgets)
    assert shown
    whole = ("AWS/ApplicationELB", "RequestCount", ("LoadBalancer",))
    assert not [each for each in shown if KNOWN.get(each[0], {}).get(each[1]) != each[2] and each != whole]


def test_traffic_errors_latency_and_tasks_are_shown_for_both_groups(widgets: list[dict[str, Any]]) -> None:
    shown = Counter(each[1] for each in metrics(widgets) if each[2] == PER_GROUP)
    assert shown == {
        "RequestCount": 4,  # And as the denominator of the errors.
        "HTTPCode_Target_5XX_Count": 2,
        "TargetResponseTime": 4,
        "HealthyHostCount": 2,
        "UnHealthyHostCount": 2,
    }


def test_errors_are_shown_as_a_share_beside_the_threshold_of_the_alarms(
    widgets: list[dict[str, Any]],
) -> None:
    (errors,) = (
        each["properties"] for each in widgets if "percent of the" in each["properties"].get("title", "")
    )
    labels = [row[0]["label"] for row in errors["metrics"] if isinstance(row[0], dict)]
    visible = [label for label in labels if label != "502, 503 and 504"]
    assert visible == ["blue: 5xx of tasks", "green: 5xx of tasks", "load balancer: 502, 503, 504"]
    assert [each["value"] for each in errors["annotations"]["horizontal"]] == [ERROR_PERCENT]


def test_the_history_is_read_from_the_event_log(templates: Templates, widgets: list[dict[str, Any]]) -> None:
    group = templates.only("AWS::Logs::LogGroup", LogGroupName="/aws/events/pipeline-dev")
    shown = queries(widgets)
    assert set(shown) == {"Pipeline executions", "Deployments", "Why actions failed", CHANGES, LEAD_TIME}
    kept = [
        kind
        for rule in templates.resources("AWS::Events::Rule")
        if rule.properties["Name"].endswith("-events-dev")
        for kind in rule.properties["EventPattern"]["detail-type"]
    ]
    for query in shown.values():
        assert f"SOURCE '<{group.id}>'" in query
        assert set(re.findall("'([^']* (?:State Change|Notification)[^']*)'", query)) <= set(kept), query
        assert any(f"'{kind}'" in query for kind in kept), query


def queries(widgets: list[dict[str, Any]]) -> dict[str, str]:
    """The queries of the event log, by the title of their widget."""
    return {
        widget["properties"]["title"]: widget["properties"]["query"]
        for widget in widgets
        if widget["type"] == "log"
    }


def answer(widgets: list[dict[str, Any]], title: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that a widget shows of a history."""
    _, _, query = queries(widgets)[title].partition("|")
    return run_query(query.strip(), events)


def test_the_four_keys_are_those_computed_by_hand(widgets: list[dict[str, Any]]) -> None:
    """As far as a query knows them: executions a, b and d took 9, 29 and 14 minutes after their start."""
    counted = {"releases": 3, "changes": 4, "failed_in_deploy": 1, "rollbacks": 1}
    assert answer(widgets, CHANGES, HISTORY) == [counted]
    assert answer(widgets, LEAD_TIME, HISTORY) == [{"median_minutes": 14, "longest_minutes": 29}]


def test_an_execution_that_began_before_the_time_range_has_no_lead_time(
    widgets: list[dict[str, Any]],
) -> None:
    later = [*run(1, "a", 10), *run(2, "b", 30)[1:]]
    assert answer(widgets, LEAD_TIME, later) == [{"median_minutes": 9, "longest_minutes": 9}]


def test_the_definition_stands_beside_the_four_keys(widgets: list[dict[str, Any]]) -> None:
    (text,) = (each["properties"]["markdown"] for each in widgets if "four keys" in str(each["properties"]))
    for column in ("releases", "changes", "failed_in_deploy", "rollbacks"):
        assert column.removesuffix("s") in text
    assert "python -m operations status dev" in text


def test_every_alarm_is_on_it(templates: Templates, widgets: list[dict[str, Any]]) -> None:
    (status,) = (widget for widget in widgets if widget["type"] == "alarm")
    alarms = templates.resources("AWS::CloudWatch::Alarm")
    assert set(status["properties"]["alarms"]) == {f"<{alarm.id}.Arn>" for alarm in alarms}


def test_http_without_tls_is_the_first_thing_on_it(widgets: list[dict[str, Any]], other: Templates) -> None:
    first = min(widgets, key=lambda widget: int(widget["y"]))
    assert first["type"] == "text"
    assert "HTTP without TLS" in first["properties"]["markdown"]
    (dashboard,) = other.resources("AWS::CloudWatch::Dashboard")
    assert "HTTP without TLS" not in plain(dashboard.properties["DashboardBody"])
