"""Reads MiniStack's stores while other threads write to them, for snapshots too, and restores them."""

import importlib
import pickle
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from local_aws.core import pickling
from local_aws.core.concurrent_mutation import retry_on_concurrent_mutation
from local_aws.ministack import signing
from local_aws.ministack.compat import require
from local_aws.ministack.deleted_stacks import DeletedStacks

READERS = ("items", "values", "items_scoped", "values_scoped", "all_items")

SERVICES = "ministack.services."
# State that MiniStack needs and has outside of its scoped stores.
PLAIN = (("ec2", "_default_initialized_scopes"), ("sts", "_sessions"))
# The store whose records are no data.
KEYS = ("kms", "_keys")
# The stores of which deleted stacks are saved apart.
STACKS, STACK_EVENTS = ("cloudformation", "_stacks"), ("cloudformation", "_stack_events")
# The stores of metric points and of log groups, whose streams have the log events.
POINTS, LOGS = ("cloudwatch", "_metrics"), ("cloudwatch_logs", "_log_groups")

_responses = require("core.responses", "AccountScopedDict", "AccountRegionScopedDict")
# Functions that iterate over a store itself, and that may start again.
WALKS = (
    ("sts", "_evict_expired_sessions"),
    ("s3", "_bucket_owner_account"),
    ("lambda_svc", "_sweep_extract_cache"),
)

for _module, _name in (*PLAIN, POINTS, LOGS, *WALKS):
    require(f"services.{_module}", _name)


def patch_store_readers() -> None:
    """Repeat a read of a store that a write of another thread interrupted.

    MiniStack reads with `list(store.items())`, which a garbage collection can interrupt, and with loops. It
    expects one thread, but CloudFormation and our services have their own: a log line of another one could
    fail the deletion of a log group, and a role that another one assumed could fail a deployment.
    """
    methods = [
        (store, name)
        for store in (_responses.AccountScopedDict, _responses.AccountRegionScopedDict)
        for name in READERS
        if hasattr(store, name)
    ]
    walks = [(importlib.import_module(SERVICES + module), name) for module, name in WALKS]
    for owner, name in (*methods, *walks):
        method = getattr(owner, name)
        if not hasattr(method, "retries"):
            setattr(owner, name, retry_on_concurrent_mutation(method))


class Stores:
    """Saves and restores the stores of all loaded services, without metric points and log events.

    They are saved without the deleted stacks that `deleted` saved before.
    """

    lock: AbstractContextManager[Any] = nullcontext()

    def __init__(self, deleted: DeletedStacks) -> None:
        self.deleted = deleted

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return all stores at one moment: no other thread runs during a call of pickle."""
        return {"stores": retry_on_concurrent_mutation(_dump)(self.deleted)}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Replace the content of the stores."""
        for module, stores in pickling.loads(snapshot["stores"]).items():
            if not module.startswith(SERVICES):
                raise pickle.UnpicklingError(f"{module} has no stores")
            found = importlib.import_module(module)
            for name, content in stores.items():
                if module == SERVICES + KEYS[0] and name == KEYS[1]:
                    signing.restore_keys(content)
                    continue
                store = getattr(found, name)
                data = getattr(store, "_data", store)
                data.clear()
                data.update(content)

    def shared(self) -> Mapping[str, Any]:
        """Share nothing with our own services."""
        return {}


class Telemetry:
    """Saves and restores the metric points and the log events, of which there are tens of thousands."""

    lock: AbstractContextManager[Any] = nullcontext()

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return them at one moment."""
        return {"stores": retry_on_concurrent_mutation(_dump_telemetry)()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Replace the points, and the events of the streams that were restored."""
        points, events = pickling.loads(snapshot["stores"])
        _data(POINTS).clear()
        _data(POINTS).update(points)
        groups = _data(LOGS)
        for key, streams in events.items():
            for name, found in streams.items():
                if key in groups and name in groups[key]["streams"]:
                    groups[key]["streams"][name]["events"] = found

    def shared(self) -> Mapping[str, Any]:
        """Share nothing with our own services."""
        return {}


def _dump(deleted: DeletedStacks) -> bytes:
    scoped = (_responses.AccountScopedDict, _responses.AccountRegionScopedDict)
    loaded = {name: module for name, module in list(sys.modules.items()) if name.startswith(SERVICES)}
    found = {
        name: {key: store._data for key, store in list(vars(module).items()) if isinstance(store, scoped)}
        for name, module in loaded.items()
    }
    module, name = POINTS
    found[SERVICES + module].pop(name)
    module, name = LOGS
    found[SERVICES + module][name] = _without_events(_data(LOGS))
    for (module, name), remaining in zip((STACKS, STACK_EVENTS), deleted.others(), strict=True):
        found[SERVICES + module][name] = remaining
    for module, name in PLAIN:
        found[SERVICES + module][name] = getattr(sys.modules[SERVICES + module], name)
    module, name = KEYS
    found[SERVICES + module][name] = signing.saved_keys()
    return pickle.dumps(found)


def _dump_telemetry() -> bytes:
    events = {
        key: {name: stream["events"] for name, stream in group["streams"].items()}
        for key, group in _data(LOGS).items()
    }
    return pickle.dumps((_data(POINTS), events))


def _without_events(groups: Mapping[Any, Mapping[str, Any]]) -> dict[Any, Any]:
    return {
        key: {
            **group,
            "streams": {name: {**stream, "events": []} for name, stream in group["streams"].items()},
        }
        for key, group in groups.items()
    }


def _data(store: tuple[str, str]) -> Any:
    module, name = store
    return getattr(sys.modules[SERVICES + module], name)._data
