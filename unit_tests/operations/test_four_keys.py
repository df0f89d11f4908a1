"""DORA's four keys, against a history that was computed by hand."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from operations.names import Names
from operations.status import four_keys
from unit_tests.operations.account_fakes import FakeAccount, named, refusing
from unit_tests.operations.release_history import HISTORY, START, at, event, run

# The text of the source, in an event of another.
OTHER = {
    "source": "aws.codebuild",
    "time": "2026-11-02T09:00:00Z",
    "detail": {"initiator": "aws.codepipeline"},
}
WRITTEN = {"commit-a": 0, "commit-b": 20, "commit-c": 90, "commit-d": 120}


def commit(commitId: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's own name
    return {"commit": {"committer": {"date": f"{at(WRITTEN[commitId]).timestamp():.0f} +0100"}}}


def account(*events: dict[str, Any], **more: Any) -> FakeAccount:
    messages = [{"message": json.dumps(each)} for each in events]
    return FakeAccount(
        named(logs__filter_log_events={"events": messages}, codecommit__get_commit=commit) | named(**more)
    )


def read(*events: dict[str, Any]) -> four_keys.FourKeys | None:
    return four_keys.read(account(*events), Names("dev"), at(600))


def test_the_keys_are_those_computed_by_hand() -> None:
    found = read(OTHER, *HISTORY)
    assert found == four_keys.FourKeys(30, 3, 4, 2, lead_time=15 * 60, time_to_restore=20 * 60)
    assert str(found) == (
        "last 30 days: 3 releases, 15 min from a commit to all traffic, 2 of 4 changes failed, "
        "20 min from a failure to the next success"
    )


@pytest.mark.parametrize("seed", range(5))
def test_late_and_repeated_events_change_nothing(seed: int) -> None:
    shuffled = HISTORY * 2
    Random(seed).shuffle(shuffled)  # noqa: S311 - the same order in each run
    assert read(*shuffled) == read(*HISTORY)


def test_a_stage_that_was_tried_again_has_failed_and_was_restored() -> None:
    again = event(20, "a", stage="Deploy", state="SUCCEEDED")
    found = read(*run(1, "a", 10, "FAILED"), again)
    assert found == four_keys.FourKeys(30, 1, 2, 1, lead_time=20 * 60, time_to_restore=10 * 60)


@pytest.mark.parametrize("state", ["STOPPING", "STOPPED", "SUPERSEDED"])
def test_an_execution_that_is_stopped_or_superseded_is_no_change(state: str) -> None:
    """It has failed nothing, and restores nothing."""
    ended = [event(12, "b", stage="Deploy", state=state), event(12, "b", state=state)]
    before = run(1, "a", 10, "FAILED")
    assert read(*before, event(11, "b", stage="Deploy", state="STARTED"), *ended) == read(*before)


def test_a_failure_that_lasts_has_no_time_to_restore() -> None:
    found = read(*run(1, "a", 10, "FAILED"))
    assert found == four_keys.FourKeys(30, 0, 1, 1, None, None)
    assert str(found) == "last 30 days: 0 releases, 1 of 1 change failed"


def test_an_environment_without_releases_of_its_own_pipeline_has_no_keys() -> None:
    assert read() is None
    gone = account(logs__filter_log_events=refusing("ResourceNotFoundException"))
    assert four_keys.read(gone, Names("dev"), at(600)) is None


def test_only_events_of_thirty_days_are_asked_for() -> None:
    asked = account()
    four_keys.read(asked, Names("dev"), at(0))
    ((_, _, arguments),) = asked.asked
    assert arguments["startTime"] == (START - timedelta(days=30)).timestamp() * 1000
    assert arguments["logGroupName"] == "/aws/events/pipeline-dev"


def test_only_the_commits_of_releases_are_read_and_each_once() -> None:
    asked = account(*HISTORY, event(140, "d", stage="Deploy", state="SUCCEEDED"))
    four_keys.read(asked, Names("dev"), at(600))
    commits = [arguments["commitId"] for _, operation, arguments in asked.asked if operation == "get_commit"]
    assert sorted(commits) == ["commit-a", "commit-b", "commit-d"]


def test_a_commit_of_an_earlier_repository_has_no_lead_time() -> None:
    gone = account(*run(1, "a", 10), codecommit__get_commit=refusing("CommitIdDoesNotExistException"))
    found = four_keys.read(gone, Names("dev"), at(600))
    assert found == four_keys.FourKeys(30, 1, 1, 0, None, None)
