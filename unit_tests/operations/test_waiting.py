"""`wait_for`."""

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from operations.waiting import NotYetError, TimedOutError, wait_for


def test_a_wait_returns_the_result_of_the_check() -> None:
    states = iter(["pending", "pending"])

    def check() -> str:
        for state in states:
            raise NotYetError(state)
        return "done"

    assert wait_for("it", check, deadline=5, sleep=lambda _: None) == "done"


def test_a_wait_that_times_out_has_its_subject_and_the_last_state_in_the_error() -> None:
    def check() -> None:
        raise NotYetError("one task of two is healthy")

    with pytest.raises(TimedOutError, match=r"two tasks: not within 0\.05 s; last state: one task of two"):
        wait_for("two tasks", check, deadline=0.05, interval=0.01)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeServices")


def test_a_throttled_call_is_repeated() -> None:
    errors = iter([refused("ThrottlingException"), refused("RequestLimitExceeded"), NotYetError("pending")])

    def check() -> str:
        for error in errors:
            raise error
        return "done"

    assert wait_for("it", check, deadline=5, sleep=lambda _: None) == "done"


AWS, HERE = "https://ecs.us-east-1.amazonaws.com/", "http://127.0.0.1:4566/"


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=AWS, error="Temporary failure in name resolution"),
        ConnectTimeoutError(endpoint_url=AWS),
        ReadTimeoutError(endpoint_url=AWS),
        ConnectionClosedError(endpoint_url=AWS),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_call_that_does_not_reach_aws_is_repeated(error: Exception) -> None:
    """A network that is away for a minute ended a run of two hours."""
    errors = iter([error])

    def check() -> str:
        for one in errors:
            raise one
        return "done"

    assert wait_for("it", check, deadline=5, sleep=lambda _: None) == "done"


def test_calls_that_stay_throttled_are_the_last_state() -> None:
    def check() -> None:
        raise refused("Throttling")

    with pytest.raises(TimedOutError, match=r"last state: .*Throttling"):
        wait_for("it", check, deadline=0.05, interval=0.01)


@pytest.mark.parametrize(
    "error", [KeyError("gone"), refused("AccessDeniedException"), ConnectionClosedError(endpoint_url=HERE)]
)
def test_an_error_of_the_check_ends_the_wait_at_once(error: Exception) -> None:
    checks = []

    def check() -> None:
        checks.append(1)
        raise error

    with pytest.raises(type(error)):
        wait_for("it", check, deadline=5, sleep=lambda _: None)
    assert len(checks) == 1
