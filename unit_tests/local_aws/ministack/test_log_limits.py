"""A log group keeps its newest events: those of the streams that were written to last."""

from typing import Any

import pytest
from ministack.services import cloudwatch_logs as logs

from local_aws.ministack import log_limits


def stream(*timestamps: int) -> dict[str, Any]:
    events = [{"timestamp": at} for at in timestamps]
    last = timestamps[-1] if timestamps else None
    return {"events": events, "firstEventTimestamp": timestamps[0], "lastEventTimestamp": last}


def left(streams: dict[str, dict[str, Any]]) -> dict[str, list[int]]:
    return {name: [event["timestamp"] for event in found["events"]] for name, found in streams.items()}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_limits, "MOST_EVENTS", 4)
    monkeypatch.setattr(log_limits, "SLACK", 2)


def test_the_oldest_events_go_first() -> None:
    streams = {"newest": stream(5, 9), "oldest": stream(1, 2), "between": stream(3, 4, 6)}
    log_limits.trim(streams)
    assert left(streams) == {"newest": [5, 9], "oldest": [], "between": [4, 6]}
    assert streams["between"]["firstEventTimestamp"] == 4


def test_a_few_too_many_stay() -> None:
    streams = {"one": stream(1, 2, 3, 4, 5)}
    log_limits.trim(streams)
    assert left(streams) == {"one": [1, 2, 3, 4, 5]}


def test_each_call_of_put_log_events_bounds_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    group = {"streams": {"one": stream(1, 2, 3, 4, 5, 6)}}
    monkeypatch.setattr(logs, "_put_log_events", lambda _data: "the response")
    monkeypatch.setattr(logs, "_log_groups", {"group": group})
    log_limits.patch_log_limits()
    assert logs._put_log_events({"logGroupName": "group"}) == "the response"
    assert left(group["streams"]) == {"one": [3, 4, 5, 6]}
    assert logs._put_log_events({"logGroupName": "none"}) == "the response"
