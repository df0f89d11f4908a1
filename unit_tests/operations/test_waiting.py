"""`wait_for`."""

import pytest

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


def test_an_error_of_the_check_ends_the_wait_at_once() -> None:
    checks = []

    def check() -> None:
        checks.append(1)
        raise KeyError("gone")

    with pytest.raises(KeyError):
        wait_for("it", check, deadline=5, sleep=lambda _: None)
    assert len(checks) == 1
