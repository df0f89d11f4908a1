"""Reads MiniStack's stores while other threads write to them, for snapshots too, and restores them."""

import importlib
import pickle
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from local_aws.core import pickling
from local_aws.core.concurrent_mutation import retry_on_concurrent_mutation
from local_aws.ministack import signing
from local_aws.ministack.compat import require

READERS = ("items", "values", "items_scoped", "values_scoped", "all_items")

SERVICES = "ministack.services."
# State that MiniStack needs and has outside of its scoped stores.
PLAIN = (("ec2", "_default_initialized_scopes"), ("sts", "_sessions"))
# The store whose records are no data.
KEYS = ("kms", "_keys")
# State that it writes and never reads.
TRACES = (("eventbridge", "_events_log"),)
# The store of metric points, and the seconds between two snapshots of it.
POINTS, POINTS_EVERY = ("cloudwatch", "_metrics"), 10.0

_responses = require("core.responses", "AccountScopedDict", "AccountRegionScopedDict")
for _module, _name in (*PLAIN, *TRACES, POINTS):
    require(f"services.{_module}", _name)


def patch_store_readers() -> None:
    """Repeat a read of a store that a write of another thread interrupted.

    MiniStack reads with `list(store.items())`, which a garbage collection can interrupt. CloudFormation runs
    on worker threads: a log line of another one could fail the deletion of a log group.
    """
    for store in (_responses.AccountScopedDict, _responses.AccountRegionScopedDict):
        for name in READERS:
            method = getattr(store, name, None)
            if method is not None and not hasattr(method, "retries"):
                setattr(store, name, retry_on_concurrent_mutation(method))


class Stores:
    """Saves and restores the stores of all loaded services, without the metric points."""

    lock: AbstractContextManager[Any] = nullcontext()

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return all stores at one moment: no other thread runs during a call of pickle."""
        return {"stores": retry_on_concurrent_mutation(_dump)()}

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


class Points(Stores):
    """Saves and restores the metric points: less often, since there are thousands and nothing refers to them.

    When local_aws ends, the points of the last ten seconds are lost.
    """

    def __init__(self) -> None:
        self._saved, self._saved_at = b"", -POINTS_EVERY

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return the points of up to `POINTS_EVERY` seconds ago."""
        if time.monotonic() - self._saved_at >= POINTS_EVERY:
            self._saved, self._saved_at = retry_on_concurrent_mutation(_dump_points)(), time.monotonic()
        return {"stores": self._saved}


def _dump() -> bytes:
    scoped = (_responses.AccountScopedDict, _responses.AccountRegionScopedDict)
    loaded = {name: module for name, module in list(sys.modules.items()) if name.startswith(SERVICES)}
    found = {
        name: {key: store._data for key, store in list(vars(module).items()) if isinstance(store, scoped)}
        for name, module in loaded.items()
    }
    for module, name in (*TRACES, POINTS):
        found[SERVICES + module].pop(name)
    for module, name in PLAIN:
        found[SERVICES + module][name] = getattr(sys.modules[SERVICES + module], name)
    module, name = KEYS
    found[SERVICES + module][name] = signing.saved_keys()
    return pickle.dumps(found)


def _dump_points() -> bytes:
    module, name = POINTS
    return pickle.dumps({SERVICES + module: {name: getattr(sys.modules[SERVICES + module], name)._data}})
