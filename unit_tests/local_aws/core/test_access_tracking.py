"""Mappings that know which of their leaves were read."""

import copy
import json
from typing import Any

from local_aws.core.access_tracking import leaves, track

PROPERTIES: dict[str, Any] = {
    "Name": "a",
    "Rules": [{"Status": "Enabled", "Expiration": {"Days": 3}}, {"Status": "Disabled"}],
    "Zones": ["a", "b"],
    "Empty": {},
}
KEPT: list[Any] = []


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


def test_what_nobody_read_is_unread_at_every_depth() -> None:
    assert unread_after(lambda _: None) == list(leaves(PROPERTIES))
    assert "Rules.0.Expiration.Days" in unread_after(lambda _: None)


def test_reading_every_leaf_leaves_nothing_unread() -> None:
    assert unread_after(read_all) == []


def test_a_container_that_is_fetched_and_dropped_counts_for_nothing() -> None:
    unread = unread_after(lambda props: props["Rules"][0].get("Status"))
    assert "Rules.0.Expiration.Days" in unread
    assert "Rules.0.Status" not in unread


def test_asking_whether_a_key_is_there_does_not_read_it() -> None:
    assert "Name" in unread_after(lambda props: "Name" in props)


def test_a_part_that_somebody_keeps_counts_as_read_whole() -> None:
    unread = unread_after(lambda props: KEPT.append(props["Rules"][0]))
    KEPT.clear()
    assert not [path for path in unread if path.startswith("Rules.0")]
    assert "Rules.1.Status" in unread


def test_copies_and_json_read_the_whole() -> None:
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


def test_unpacking_reads_the_top_and_no_more() -> None:
    unread = unread_after(lambda props: {**props})
    assert unread == ["Rules.0.Status", "Rules.0.Expiration.Days", "Rules.1.Status"]
