"""Mappings that record which of their leaves are read."""

import copy
import gc
import json
from typing import Any

import pytest

from local_aws.core.access_tracking import leaves, track

PROPERTIES: dict[str, Any] = {
    "Name": "a",
    "Rules": [{"Status": "Enabled", "Expiration": {"Days": 3}}, {"Status": "Disabled"}],
    "Zones": ["a", "b"],
    "Empty": {},
}
STORED: list[Any] = []


def unread_after(use: Any) -> list[str]:
    tracked, reads = track(PROPERTIES)
    use(tracked)
    del tracked
    return reads.unread(PROPERTIES)


def read_all(value: Any) -> None:
    if isinstance(value, dict):
        for item in value.values():
            read_all(item)
    if isinstance(value, list):
        for item in value:
            read_all(item)


def test_leaves_without_a_read_are_unread_at_every_depth() -> None:
    assert unread_after(lambda _: None) == list(leaves(PROPERTIES))
    assert "Rules.0.Expiration.Days" in unread_after(lambda _: None)


def test_reading_every_leaf_leaves_nothing_unread() -> None:
    assert unread_after(read_all) == []


def test_fetching_and_dropping_a_container_reads_none_of_its_leaves() -> None:
    unread = unread_after(lambda props: props["Rules"][0].get("Status"))
    assert "Rules.0.Expiration.Days" in unread
    assert "Rules.0.Status" not in unread


def test_a_membership_test_reads_nothing() -> None:
    assert "Name" in unread_after(lambda props: "Name" in props)


def test_storing_a_container_reads_all_its_leaves() -> None:
    unread = unread_after(lambda props: STORED.append(props["Rules"][0]))
    STORED.clear()
    assert not [path for path in unread if path.startswith("Rules.0")]
    assert "Rules.1.Status" in unread


def test_a_reference_cycle_alone_is_no_use() -> None:
    def use(props: Any) -> None:
        cycle = [props["Rules"][0]]
        cycle.append(cycle)

    assert "Rules.0.Status" in unread_after(use)


def test_the_whole_heap_is_collected_only_for_what_nothing_explains(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[tuple[int, ...]] = []
    monkeypatch.setattr(gc, "collect", lambda *generation: collected.append(generation))
    reads = track(PROPERTIES)[1]
    assert reads.unread(PROPERTIES, lambda _: []) == []
    assert collected == [(1,)]
    assert reads.unread(PROPERTIES) == list(leaves(PROPERTIES))
    assert collected == [(1,), (1,), ()]


def test_copies_and_json_read_every_leaf() -> None:
    for use in (copy.deepcopy, json.dumps):
        assert unread_after(use) == [], use


def test_copies_are_plain_and_equal() -> None:
    tracked, _ = track(PROPERTIES)
    assert isinstance(tracked, dict)
    assert tracked == PROPERTIES
    assert json.loads(json.dumps(tracked)) == PROPERTIES
    for plain in (copy.deepcopy(tracked), dict(tracked), {**tracked}):
        assert plain == PROPERTIES
        assert type(plain) is dict
    assert type(copy.deepcopy(tracked)["Rules"][0]) is dict


def test_unpacking_reads_the_top_level_only() -> None:
    unread = unread_after(lambda props: {**props})
    assert unread == ["Rules.0.Status", "Rules.0.Expiration.Days", "Rules.1.Status"]
