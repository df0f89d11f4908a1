"""Metric points expire as on AWS; they and the log events have snapshots of their own."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from ministack.services import cloudwatch
from ministack.services import cloudwatch_logs as logs

from local_aws.core.clock import Clock
from local_aws.ministack.cloudwatch import EVICTION_INTERVAL, RETENTION, make_eviction, merge
from local_aws.ministack.deleted_stacks import DeletedStacks
from local_aws.ministack.stores import Stores, Telemetry

FASTER = Clock(1e-5)


def point(age: float) -> dict[str, float]:
    return {"Timestamp": time.time() - FASTER.seconds(age), "Value": 1.0}


def test_a_point_expires_after_fifteen_days_of_the_clock() -> None:
    old, new = point(2 * RETENTION), point(RETENTION / 2)
    service = SimpleNamespace(_metrics={"both": [old, new], "old": [old]})
    evict = make_eviction(service, FASTER)
    evict()
    assert service._metrics == {"both": [old, new], "old": [old]}, "no eviction within the interval"
    time.sleep(FASTER.seconds(EVICTION_INTERVAL))
    evict()
    assert service._metrics == {"both": [new]}


def test_old_points_of_a_value_are_one_point_of_each_minute_and_all_are_counted() -> None:
    def at(seconds: float, value: float, **more: float) -> dict[str, Any]:
        return {"Timestamp": seconds, "Value": value, "Unit": "Seconds", **more}

    old = [at(60, 1.0), at(90, 1.0, Count=2.0), at(119, 2.0), at(120, 1.0)]
    exact = [{**at(61, 1.0), "_stat": {"Sum": 1.0}}, at(700, 1.0), at(701, 1.0)]
    before = [dict(point) for point in old]
    assert merge([*old, *exact], before=600) == [
        at(60, 1.0, Count=3.0),
        at(119, 2.0),
        at(120, 1.0),
        *exact,
    ]
    assert old == before, "another thread may read them"


def test_a_day_old_points_are_merged_by_the_eviction() -> None:
    fast = Clock(1e-4)
    # Older than a day of the clock, which is nine seconds.
    minute = (time.time() - 70) // 60 * 60
    points = [{"Timestamp": minute + second, "Value": 1.0, "Unit": "Count"} for second in (10, 20, 30)]
    service = SimpleNamespace(_metrics={"old": points})
    evict = make_eviction(service, fast)
    time.sleep(fast.seconds(EVICTION_INTERVAL))
    evict()
    assert [point["Count"] for point in service._metrics["old"]] == [3.0]


def test_telemetry_has_the_points_and_the_log_events_and_no_other_snapshot_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for store in (cloudwatch._metrics, logs._log_groups):
        monkeypatch.setattr(store, "_data", {})
    cloudwatch._metrics["a metric"] = ["a saved point"]
    logs._log_groups["a group"] = {"streams": {"a stream": {"events": ["a saved event"], "token": "1"}}}

    everything, telemetry = Stores(DeletedStacks()).to_snapshot(), Telemetry().to_snapshot()
    for text in (b"a saved point", b"a saved event"):
        assert text not in everything["stores"]
    logs._log_groups["a group"]["streams"]["a stream"]["events"].append("a lost event")
    cloudwatch._metrics["a metric"].append("a lost point")

    Stores(DeletedStacks()).restore(everything)
    assert logs._log_groups["a group"] == {"streams": {"a stream": {"events": [], "token": "1"}}}
    logs._log_groups["a group"]["streams"]["a newer stream"] = {"events": []}
    Telemetry().restore(telemetry)
    assert cloudwatch._metrics["a metric"] == ["a saved point"]
    streams = logs._log_groups["a group"]["streams"]
    assert {name: stream["events"] for name, stream in streams.items()} == {
        "a stream": ["a saved event"],
        "a newer stream": [],
    }


def test_events_of_a_stream_that_is_gone_are_not_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    for store in (cloudwatch._metrics, logs._log_groups):
        monkeypatch.setattr(store, "_data", {})
    logs._log_groups["a group"] = {"streams": {"a stream": {"events": ["an event"]}}}
    telemetry = Telemetry().to_snapshot()
    del logs._log_groups["a group"]
    Telemetry().restore(telemetry)
    assert list(logs._log_groups) == []
