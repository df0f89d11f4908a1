"""Where the seconds of a Build stage go, from CodeBuild's answers and its lines in the logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from harness.cloud import Cloud
from harness.report.build_steps import builds_of, lines
from unit_tests.harness.recorded_cloud import RecordedCloud

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def phase(name: str, began: float, seconds: float) -> dict[str, Any]:
    return {"phaseType": name, "startTime": at(began), "endTime": at(began + seconds)}


def line(seconds: float, text: str) -> dict[str, str]:
    return {"message": f"[Container] {at(seconds):%Y/%m/%d %H:%M:%S.%f} {text}\n"}


def build(name: str, began: float, seconds: float, *phases: dict[str, Any]) -> dict[str, Any]:
    times = {"startTime": at(began), "endTime": at(began + seconds)}
    return {"id": name, **times, "phases": list(phases), "logs": {"groupName": name, "streamName": "1"}}


def action(name: str, build_id: str) -> dict[str, Any]:
    output = {"executionResult": {"externalExecutionId": build_id}} if build_id else {}
    return {"stageName": "Build", "actionName": name, "output": output}


def table(*builds: dict[str, Any], **logs: list[dict[str, str]]) -> list[str]:
    """Return the table of builds, each of the action that its name begins with."""
    responses = {
        "batch_get_builds": {"builds": list(builds)},
        "filter_log_events": lambda **asked: {"events": logs.get(asked["logGroupName"], [])},
    }
    deploy = {"stageName": "Deploy", "actionName": "Deploy", "output": {}}
    actions = [deploy, *(action(f"{one['id']}-action", one["id"]) for one in builds), action("Later", "")]
    found = builds_of(cast(Cloud, RecordedCloud(responses)), actions)
    return [" ".join(text.split()) for text in lines(found)]


def test_a_command_takes_until_the_next_line_of_codebuild_and_the_rest_is_its_phases() -> None:
    log = [
        line(1, "Entering phase INSTALL"),
        line(2.5, "Running command # Install the scanner\npython -I install.py"),
        {"message": "a line of the command: Running command rm\n"},
        line(4.5, "Running command python --version"),
        line(4.51, "Phase complete: INSTALL State: SUCCEEDED"),
        line(4.51, "Entering phase BUILD"),
        line(4.51, "Running command # Test\n"),
        line(9, "Phase complete: BUILD State: SUCCEEDED"),
    ]
    one = build("one", 0, 10, phase("QUEUED", 0, 1), phase("INSTALL", 1, 3.51), phase("BUILD", 4.51, 4.49))
    assert table(one, one=log) == [
        "10.0 s one-action",
        "1.0 s QUEUED",
        "1.5 s INSTALL: besides its commands",
        "2.0 s INSTALL: Install the scanner",
        "4.5 s BUILD: Test",
        "1.0 s everything else",
    ]


def test_of_a_build_whose_log_has_not_arrived_the_phases_are_shown() -> None:
    assert table(build("one", 0, 3, phase("BUILD", 0, 3), {"phaseType": "COMPLETED"})) == [
        "3.0 s one-action",
        "3.0 s BUILD",
        "0.0 s everything else",
    ]


def test_the_table_says_which_builds_ran_one_after_another() -> None:
    builds = build("three", 7, 2), build("one", 0, 5), build("two", 5.5, 3)
    assert [text for text in table(*builds) if "action" in text] == [
        "5.0 s one-action",
        "3.0 s two-action, begun 0.5 s after the end of one-action",
        "2.0 s three-action, side by side with two-action",
    ]


def test_a_build_that_runs_still_has_no_table() -> None:
    running = {"id": "one", "startTime": NOON, "phases": [], "logs": {}}
    assert table(running) == []


def test_an_execution_without_a_build_asks_nothing() -> None:
    assert builds_of(cast(Cloud, RecordedCloud({})), [action("Test", "")]) == ()
