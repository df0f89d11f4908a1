"""The one place that waits: for a look to succeed, to a deadline, with the last state in the error."""

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from operations.errors import OperationsError

Found = TypeVar("Found")


class NotYetError(Exception):
    """Raised by a look: the message is the state that it saw."""


class TimedOutError(OperationsError):
    """A wait came to its deadline; `state` is what the last look saw."""

    def __init__(self, what: str, seconds: float, state: str) -> None:
        super().__init__(f"{what}: not within {seconds:g} s; last state: {state}")
        self.state = state


def wait_for(
    what: str,
    look: Callable[[], Found],
    *,
    deadline: float,
    interval: float = 1.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """Return what `look` returns, once it no longer raises `NotYetError`.

    `deadline` and `interval` are seconds of this machine's clock. Any other exception ends the wait at once.
    Raises `TimedOutError` at the deadline.
    """
    tries = Retrying(
        stop=stop_after_delay(deadline),
        wait=wait_fixed(interval),
        retry=retry_if_exception_type(NotYetError),
        sleep=sleep,
    )
    try:
        return tries(look)
    except RetryError as error:
        state = str(error.last_attempt.exception())
        raise TimedOutError(what, deadline, state) from error
