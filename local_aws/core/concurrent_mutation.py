"""Reading what another thread writes to at the same moment."""

from collections.abc import Callable
from typing import Any

TRIES = 100


def again(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a reader begin again when a writer came between: Python says that the size changed."""

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
