"""The log lines that the dashboard shows, and their format."""

from typing import Any, cast

import pytest

from harness.cloud import PROJECT, Cloud
from harness.dashboard.logs import ACCESS, NO_REQUESTS, BuildLog, TaskLog, formatted
from unit_tests.harness.recorded_cloud import RecordedCloud, Responses


@pytest.mark.parametrize("build", ["", "b:1"], ids=["no build", "a build without a log"])
def test_a_build_that_has_no_log_yet_has_no_lines(build: str) -> None:
    log = BuildLog(cast(Cloud, RecordedCloud({"batch_get_builds": {"builds": [{"logs": {}}]}})))
    log.id = build
    assert log.tail() == []


def test_a_line_is_shown_once_and_a_late_line_is_shown() -> None:
    lines = [{"logStreamName": "app/app/1", "timestamp": 1000, "message": "first"}]
    starts: list[int] = []

    def events(**arguments: Any) -> Responses:
        starts.append(arguments["startTime"])
        return {"events": lines}

    log = TaskLog(cast(Cloud, RecordedCloud({"filter_log_events": events})), "/ecs/task-it1")
    assert len(log.tail()) == 1
    lines.append({"logStreamName": "app/app/2", "timestamp": 900, "message": "late"})
    assert log.tail() == ["00:00:01 1 first", "00:00:00 2 late"]
    assert starts[0] < starts[1], "earlier lines are not fetched again"


def test_the_access_log_of_any_service_is_left_out_and_other_lines_stay() -> None:
    lines = [
        '{"logger": "greeter.access", "message": "request"}',
        '{"logger": "orders.access", "message": "request"}\n',
        '{"logger": "orders", "message": "no os.access"}',
        "orders.access denied",
    ]
    events = [{"logStreamName": "app/app/1", "timestamp": 0, "message": line} for line in lines]
    recorded = cast(Cloud, RecordedCloud({"filter_log_events": {"events": events}}))
    log = TaskLog(recorded, "/ecs/task-orders-it1")
    assert log.tail() == ["00:00:00 1 no os.access", "00:00:00 1 orders.access denied"]


def test_the_service_logs_the_member_of_the_filter_pattern() -> None:
    hooks = (PROJECT / "sample_service/greeter/hooks.py").read_text("utf-8")
    assert NO_REQUESTS.strip("-") in hooks
    assert f'.getLogger("greeter{ACCESS}")' in hooks


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"level": "INFO", "logger": "gunicorn", "message": "Listening"}', "INFO Listening"),
        ('{"level": "ERROR", "message": "Exception", "exception": "Oops"}', "ERROR Exception Oops"),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        ('["no object"]', '["no object"]'),
        ('{"no": "message"}', '{"no": "message"}'),
    ],
)
def test_a_json_line_of_the_service_is_formatted(line: str, words: str) -> None:
    assert formatted("app/app/0123456789", 3_600_000, line) == f"01:00:00 012345 {words}"
