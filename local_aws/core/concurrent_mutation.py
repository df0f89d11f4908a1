"""Iteration over a collection that another thread may change at the same time."""

from collections.abc import Callable
from typing import Any

ATTEMPTS = 100


def retry_on_concurrent_mutation(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make `method` start again when a collection that it iterates over changes size."""

    def read(*arguments: Any) -> Any:
        for _ in range(ATTEMPTS):
            try:
                return method(*arguments)
            except RuntimeError as error:
                if "changed size during iteration" not in str(error):
                    raise
        return method(*arguments)

    read.retries = True  # type: ignore[attr-defined]
    return read
