"""Deleted stacks are pickled once, saved apart, and restored with their events."""

from typing import Any

import pytest
from ministack.services import cloudformation

from local_aws.core import pickling
from local_aws.ministack.deleted_stacks import DeletedStacks
from local_aws.ministack.stores import Stores

SCOPE = ("123456789012", "us-east-1")
STORES = (cloudformation._stacks, cloudformation._stack_events)


@pytest.fixture(autouse=True)
def no_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    for store in STORES:
        monkeypatch.setattr(store, "_data", {})


def event(stack_id: str, status: str) -> dict[str, str]:
    return {"PhysicalResourceId": stack_id, "ResourceStatus": status}


def add(name: str, stack_id: str, *events: str) -> dict[str, Any]:
    stack = {"StackName": name, "StackId": stack_id, "StackStatus": events[-1]}
    cloudformation._stacks._data[(*SCOPE, name)] = stack
    cloudformation._stack_events._data[(*SCOPE, stack_id)] = [event(stack_id, status) for status in events]
    return stack


def content(snapshot: Any) -> dict[str, Any]:
    found: dict[str, Any] = pickling.loads(snapshot["stores"])["ministack.services.cloudformation"]
    return found


def test_every_stack_is_in_one_of_the_snapshots_and_restored() -> None:
    add("live", "id-live", "CREATE_COMPLETE")
    add("gone", "id-gone", "CREATE_COMPLETE", "DELETE_COMPLETE")
    before = [dict(store._data) for store in STORES]
    deleted = DeletedStacks()
    apart, rest = deleted.to_snapshot(), Stores(deleted).to_snapshot()
    assert list(apart["stacks"]) == [(*SCOPE, "id-gone")]
    assert list(content(rest)["_stacks"]) == [(*SCOPE, "live")]
    assert list(content(rest)["_stack_events"]) == [(*SCOPE, "id-live")]
    for store in STORES:
        store._data.clear()
    other = DeletedStacks()
    Stores(other).restore(rest)
    other.restore(apart)
    assert [store._data for store in STORES] == before
    assert other.to_snapshot() == apart


def test_a_deleted_stack_is_pickled_once() -> None:
    add("first", "id-first", "DELETE_COMPLETE")
    deleted = DeletedStacks()
    first = deleted.to_snapshot()["stacks"][(*SCOPE, "id-first")]
    add("second", "id-second", "DELETE_COMPLETE")
    both = deleted.to_snapshot()["stacks"]
    assert len(both) == 2
    assert both[(*SCOPE, "id-first")] is first


def test_a_stack_is_not_apart_before_its_last_event() -> None:
    """MiniStack sets the status first."""
    add("gone", "id", "DELETE_IN_PROGRESS")["StackStatus"] = "DELETE_COMPLETE"
    deleted = DeletedStacks()
    assert deleted.to_snapshot() == {"stacks": {}}
    assert list(deleted.others()[0]) == [(*SCOPE, "gone")]


def test_a_stack_that_has_the_name_of_a_deleted_one_takes_its_place() -> None:
    add("name", "old", "DELETE_COMPLETE")
    deleted = DeletedStacks()
    apart = deleted.to_snapshot()
    add("name", "new", "CREATE_COMPLETE")
    rest = Stores(deleted).to_snapshot()
    assert deleted.to_snapshot() == {"stacks": {}}
    other = DeletedStacks()
    Stores(other).restore(rest)
    other.restore(apart)
    assert cloudformation._stacks._data[(*SCOPE, "name")]["StackId"] == "new"


def test_a_deletion_that_only_the_first_file_has_is_not_finished() -> None:
    """local_aws was killed between the two files: the stack's own record says what it still has."""
    stack = add("gone", "id", "DELETE_IN_PROGRESS")
    rest = Stores(DeletedStacks()).to_snapshot()
    add("gone", "id", "DELETE_IN_PROGRESS", "DELETE_COMPLETE")
    apart = DeletedStacks().to_snapshot()
    other = DeletedStacks()
    Stores(other).restore(rest)
    other.restore(apart)
    assert cloudformation._stacks._data == {(*SCOPE, "gone"): stack}
    assert other.to_snapshot() == {"stacks": {}}
    assert list(other.others()[0]) == [(*SCOPE, "gone")]
