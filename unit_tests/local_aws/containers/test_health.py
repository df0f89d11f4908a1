"""Container health checks: when a container becomes healthy and unhealthy."""

import os
import threading

import pytest

from local_aws.containers import health as container_health
from local_aws.containers.health import HealthCheck, allowance, check_command
from local_aws.core.clock import Clock


class _Container:
    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.stopped = threading.Event()
        self.timeouts = list[float]()

    def execute(self, command: tuple[str, ...], timeout: float) -> tuple[int, str]:
        self.timeouts.append(timeout)
        code = self.codes.pop(0)
        if not self.codes:
            self.stopped.set()
        if code == 99:
            raise TimeoutError
        return code, ""


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_health, "SHORTEST_INTERVAL", 0.001)
    monkeypatch.setattr(container_health, "SHORTEST_ALLOWANCE", 0.0)
    set_load(monkeypatch, 0.5)


def set_load(monkeypatch: pytest.MonkeyPatch, per_processor: float) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (2 * per_processor, 0.0, 0.0))


def statuses(*codes: int, start_period: float = 0) -> list[str]:
    container, reported = _Container(*codes, 0), list[str]()
    check = HealthCheck(("true",), interval=0.001, start_period=start_period)
    container_health.watch(container, check, Clock(1.0), reported.append, container.stopped)
    return reported


def test_the_first_success_makes_it_healthy() -> None:
    assert statuses(0) == ["HEALTHY"]


def test_three_failures_in_a_row_make_it_unhealthy_and_two_do_not() -> None:
    assert statuses(0, 1, 1, 0) == ["HEALTHY"]
    assert statuses(0, 1, 1, 1) == ["HEALTHY", "UNHEALTHY"]


def test_a_timeout_is_a_failure() -> None:
    assert statuses(99, 99, 99) == ["UNHEALTHY"]


def test_failures_in_the_start_period_do_not_count() -> None:
    assert statuses(1, 1, 1, 1, start_period=60) == []
    assert statuses(1, 1, 1, 0, start_period=60) == ["HEALTHY"]


def test_the_time_scale_does_not_shorten_a_start_below_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(container_health, "SHORTEST_ALLOWANCE", 10.0)
    assert allowance(Clock(0.02), 60) == 10
    assert allowance(Clock(0.02), 5) == 5
    assert allowance(Clock(1.0), 60) == 60


def test_a_start_may_take_longer_on_a_loaded_machine_but_no_longer_than_on_aws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(container_health, "SHORTEST_ALLOWANCE", 10.0)
    set_load(monkeypatch, 3.0)
    assert allowance(Clock(0.02), 60) == 30
    assert allowance(Clock(0.02), 15) == 15
    set_load(monkeypatch, 15.0)
    assert allowance(Clock(0.02), 60) == 60


def test_a_check_may_take_longer_on_a_loaded_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def timeout() -> float:
        container = _Container(0)
        check = HealthCheck(("true",), interval=0.001, timeout=5)
        container_health.watch(container, check, Clock(1.0), lambda _: None, container.stopped)
        return container.timeouts[0]

    assert timeout() == 5
    set_load(monkeypatch, 4.0)
    assert timeout() == 20


def test_command_forms_of_docker_and_ecs() -> None:
    assert check_command(["CMD-SHELL", "exit 1"]) == ("/bin/sh", "-c", "exit 1")
    assert check_command(["CMD", "a", "b"]) == ("a", "b")
    assert check_command(["NONE"]) is None
    assert HealthCheck.of_image({"Test": ["CMD", "a"], "Interval": 5_000_000_000}) == HealthCheck(
        ("a",), interval=5, timeout=30
    )


def test_a_healthy_container_is_checked_less_often_until_a_check_fails() -> None:
    def pause(status: str, failures: int) -> float:
        return container_health._until_next(1.0, 5.0, status, failures)

    assert pause("", 0) == 0.3, "the first checks come at once"
    assert pause("HEALTHY", 0) == 5.0
    assert pause("HEALTHY", 1) == 1.0
    assert pause("UNHEALTHY", 3) == 1.0
