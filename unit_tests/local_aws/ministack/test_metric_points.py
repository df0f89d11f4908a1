"""Metric points: they expire as on AWS, and have snapshots of their own at an interval."""

import time
from types import SimpleNamespace

import pytest
from ministack.services import cloudwatch

from local_aws.core.clock import Clock
from local_aws.ministack import stores
from local_aws.ministack.cloudwatch import EVICTION_INTERVAL, RETENTION, make_eviction
from local_aws.ministack.stores import Points, Stores

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


def test_snapshots_have_points_at_an_interval_only_and_neither_points_nor_events_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points, metrics = Points(), cloudwatch._metrics
    monkeypatch.setattr(metrics, "_data", {})
    metrics["a name"] = ["a saved point"]
    snapshot = points.to_snapshot()
    metrics["a name"].append("a later point")
    assert points.to_snapshot() == snapshot
    assert b"a saved point" in snapshot["stores"]
    assert b"a saved point" not in Stores().to_snapshot()["stores"]
    points.restore(snapshot)
    assert metrics["a name"] == ["a saved point"]

    metrics["a name"].append("a later point")
    monkeypatch.setattr(stores, "POINTS_EVERY", 0)
    assert b"a later point" in points.to_snapshot()["stores"]
