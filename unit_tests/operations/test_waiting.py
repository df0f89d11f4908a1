"""The one place that waits."""

import pytest

from operations.waiting import NotYetError, TimedOutError, wait_for


def test_a_wait_returns_what_the_look_found() -> None:
    states = iter(["pending", "pending"])

    def look() -> str:
        for state in states:
            raise NotYetError(state)
        return "done"

    assert wait_for("it", look, deadline=5, sleep=lambda _: None) == "done"


def test_a_wait_that_ends_says_what_it_waited_for_and_the_last_state_seen() -> None:
    def look() -> None:
        raise NotYetError("one task of two is healthy")

    with pytest.raises(TimedOutError, match=r"two tasks: not within 0\.05 s; last state: one task of two"):
        wait_for("two tasks", look, deadline=0.05, interval=0.01)


def test_an_error_of_the_look_ends_the_wait_at_once() -> None:
    looks = []

    def look() -> None:
        looks.append(1)
        raise KeyError("gone")

    with pytest.raises(KeyError):
        wait_for("it", look, deadline=5, sleep=lambda _: None)
    assert len(looks) == 1
