"""MiniStack's stores, read whole while another thread writes to them."""

from collections.abc import Callable
from typing import Any

from local_aws.ministack.private import require

READERS = ("items", "values", "items_scoped", "values_scoped", "all_items")
TRIES = 100

_responses = require("core.responses", "AccountScopedDict", "AccountRegionScopedDict")


def install() -> None:
    """Let a reader of a store begin again when a writer came between.

    MiniStack reads with `list(store.items())`, which a garbage collection breaks into; with CloudFormation on
    worker threads, somebody else's log line could make the deletion of a log group fail.
    """
    for store in (_responses.AccountScopedDict, _responses.AccountRegionScopedDict):
        for name in READERS:
            method = getattr(store, name, None)
            if method is not None and not hasattr(method, "begins_again"):
                setattr(store, name, _again(method))


def _again(method: Callable[..., Any]) -> Callable[..., Any]:
    def read(*arguments: Any) -> Any:
        for _ in range(TRIES):
            try:
                return method(*arguments)
            except RuntimeError as error:
                if "changed size during iteration" not in str(error):
                    raise
        return method(*arguments)

    read.begins_again = True  # type: ignore[attr-defined]
    return read
