"""Wait for a check to succeed, until a deadline; the error has the last state."""

import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError
from tenacity import RetryError, Retrying, retry_if_exception, stop_after_delay, wait_fixed

from operations.account import code_of
from operations.errors import OperationsError

Found = TypeVar("Found")

LOOPBACK = "127.0.0.1"
# AWS's codes for too many calls, which it still returns after all retries of botocore; not for a wrong call.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
THROTTLED = frozenset(
    {
        "EC2ThrottledException", "PriorRequestNotComplete", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "Throttling", "ThrottlingException", "ThrottledException",
        "TooManyRequestsException",
    }
)  # fmt: skip


class NotYetError(Exception):
    """Raised by a check that has not succeeded yet; the message is the state."""


class TimedOutError(OperationsError):
    """A wait reached its deadline; `state` is the last one."""

    def __init__(self, what: str, seconds: float, state: str) -> None:
        super().__init__(f"{what}: not within {seconds:g} s; last state: {state}")
        self.state = state


def wait_for(
    what: str,
    check: Callable[[], Found],
    *,
    deadline: float,
    interval: float = 1.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """Return the result of `check`, once it no longer raises `NotYetError`.

    `deadline` and `interval` are in seconds. A call that AWS throttles is repeated too, and one that does not
    reach AWS: a busy minute of the account or of the network must not end a wait of an hour. Any other
    exception ends the wait at once, and so does an endpoint on this machine that does not answer.
    Raises `TimedOutError` at the deadline.
    """
    attempts = Retrying(
        stop=stop_after_delay(deadline),
        wait=wait_fixed(interval),
        retry=retry_if_exception(_is_transient),
        sleep=sleep,
    )
    try:
        return attempts(check)
    except RetryError as error:
        state = str(error.last_attempt.exception())
        raise TimedOutError(what, deadline, state) from error


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, ClientError):
        return code_of(error) in THROTTLED
    if isinstance(error, AwsConnectionError | HTTPClientError):
        return urlsplit(str(error.kwargs.get("endpoint_url", ""))).hostname != LOOPBACK
    return isinstance(error, NotYetError)
