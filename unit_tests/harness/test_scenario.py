"""What a scenario does at its end, whatever fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.notifications import NotificationQueue
from harness.prober import Answer, Prober
from harness.progress import Progress
from harness.release import Releases
from harness.scenario import Scenario, ScenarioError
from operations.errors import OperationsError

EXPIRED = ClientError(
    {"Error": {"Code": "ExpiredToken", "Message": "The token has expired"}}, "ReceiveMessage"
)


class Ended:
    """A scenario at its end: its environment fails as a test says, and `lines` is what a person sees."""

    def __init__(self, tmp_path: Path, remaining: Any = (), error: Exception | None = None) -> None:
        self.lines: list[str] = []
        self.destroyed = 0
        self.error = error
        self.scenario = Scenario(Cloud("AWS", tmp_path), "it1", Progress(self.lines.append))
        environment = cast(Any, self.scenario.environment)
        environment.leftovers = lambda: self._leftovers(remaining)
        environment.destroy = self._destroy

    def _leftovers(self, remaining: Any) -> Any:
        if isinstance(remaining, BaseException):
            raise remaining
        return SimpleNamespace(remaining=() if self.destroyed else remaining, kinds_checked=39)

    def _destroy(self, _log: object) -> None:
        self.destroyed += 1
        if self.error:
            raise self.error


def test_what_remains_is_destroyed(tmp_path: Path) -> None:
    ended = Ended(tmp_path, remaining=("VPC",))
    ended.scenario.clean_up()
    assert ended.destroyed == 1
    assert ended.lines[-1].endswith("destroyed: 0 leftovers, 39 kinds of resources asked")


def test_a_deployment_and_a_destroy_say_what_is_waited_for(tmp_path: Path) -> None:
    """Each takes the better part of a minute."""
    ended = Ended(tmp_path)
    environment, progress = cast(Any, ended.scenario.environment), ended.scenario.progress
    seen: list[str] = []

    def interrupted(*_: object) -> None:
        seen.append(progress.clock().partition("  ")[2])
        raise KeyboardInterrupt

    environment.deploy = environment.destroy = interrupted
    for run in (ended.scenario.deploy, ended.scenario.destroy):
        with pytest.raises(KeyboardInterrupt):
            run()
    assert seen == ["running cdk deploy", "destroying"]


def test_nothing_is_destroyed_that_is_gone(tmp_path: Path) -> None:
    ended = Ended(tmp_path)
    ended.scenario.clean_up()
    assert ended.destroyed == 0


def test_an_api_that_does_not_answer_keeps_no_environment_running(tmp_path: Path) -> None:
    ended = Ended(tmp_path, remaining=OperationsError("cannot list the KMS keys: AccessDenied"))
    ended.scenario.clean_up()
    assert ended.destroyed == 1
    assert "cannot list the KMS keys: AccessDenied: destroying it1 in any case" in ended.lines[-2]
    look = "to look again: python -m operations leftovers it1"
    assert ended.lines[-1].endswith(f"destroyed, but cannot list the KMS keys: AccessDenied; {look}")


def test_a_queue_that_cannot_be_deleted_keeps_no_environment_running(tmp_path: Path) -> None:
    ended = Ended(tmp_path, remaining=("VPC",))

    def receive(wait: int = 0) -> None:
        raise EXPIRED

    queue = cast(NotificationQueue, SimpleNamespace(receive=receive))
    ended.scenario._notifications = queue
    ended.scenario.clean_up()
    assert ended.destroyed == 1
    assert "the queue of the notifications may remain: An error occurred (ExpiredToken)" in ended.lines[0]


def test_a_destroy_that_fails_ends_with_the_command_to_type(tmp_path: Path) -> None:
    ended = Ended(tmp_path, remaining=("VPC",), error=OperationsError("cdk destroy ended with exit code 1"))
    with pytest.raises(OperationsError):
        ended.scenario.clean_up()
    still = "it1 may still exist and cost money"
    assert ended.lines[-1].endswith(f"{still}; to destroy it: python -m operations destroy it1")


def test_a_clean_up_that_is_interrupted_before_the_destroy_says_what_to_type(tmp_path: Path) -> None:
    ended = Ended(tmp_path, remaining=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        ended.scenario.clean_up()
    assert ended.lines[-1].endswith(ended.scenario.remedy)
    assert ended.scenario.remedy.endswith("to destroy it: python -m operations destroy it1")


def test_what_aws_still_lists_for_a_while_is_no_leftover(tmp_path: Path) -> None:
    listed = iter([("S3 bucket",), ()])
    ended = Ended(tmp_path)
    ended.scenario.cloud.endpoint, ended.scenario.cloud.time_scale = "http://127.0.0.1:9", 0.02
    bucket = SimpleNamespace(kind="S3 bucket", name="artifacts-it1")
    answers = {(): (), ("S3 bucket",): (bucket,)}
    cast(Any, ended.scenario.environment).leftovers = lambda: SimpleNamespace(
        remaining=answers[next(listed)], kinds_checked=38
    )
    ended.scenario.destroy()
    assert "destroyed: 0 leftovers, 38 kinds" in ended.lines[-1]


def test_what_stays_is_an_error_with_its_name(tmp_path: Path) -> None:
    ended, bucket = Ended(tmp_path), SimpleNamespace(kind="S3 bucket", name="artifacts-it1")
    cast(Any, ended.scenario.environment).leftovers = lambda: SimpleNamespace(remaining=(bucket,))
    ended.scenario.cloud.endpoint, ended.scenario.cloud.time_scale = "http://127.0.0.1:9", 0.0001
    with pytest.raises(ScenarioError, match="resources remain after destroy: S3 bucket artifacts-it1"):
        ended.scenario.destroy()


@pytest.mark.parametrize(
    ("headers", "status", "primary", "served"),
    [
        ({"X-Version": "abc"}, 200, "", True),
        ({"X-Version": "bootstrap"}, 200, "abc", False),
        ({}, 200, "abc", True),
        ({}, 422, "abc", True),
        ({}, 200, "old", False),
        ({}, 503, "abc", False),
    ],
)
def test_a_service_without_the_header_is_served_as_ecs_says(
    headers: dict[str, str], status: int, primary: str, served: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make up` called the release of a FastAPI application failed, which sends no X-Version."""
    monkeypatch.setattr(Releases, "primary_commit", lambda _: primary)
    nothing = cast(Any, None)
    response: Any = SimpleNamespace(headers=headers, status_code=status)
    assert Releases(nothing, nothing).is_served("abc", response) is served


def test_a_deployment_waits_until_no_alarm_is_active(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 responses of the test before set off an alarm, which stopped the deployment (pitfall N4)."""
    scenario, states = Ended(tmp_path).scenario, iter(["ALARM", "OK"])
    cloudwatch = SimpleNamespace(
        describe_alarms=lambda **_: {
            "MetricAlarms": [{"AlarmName": "unhealthy-blue-it1", "StateValue": next(states)}]
        }
    )
    scenario.releases = cast(Any, SimpleNamespace(alarm_names=lambda: ["unhealthy-blue-it1"]))
    cast(Any, scenario.cloud).client = lambda _: cloudwatch
    monkeypatch.setattr("operations.waiting.time.sleep", lambda _: None)
    scenario.wait_until_no_alarm()
    assert list(states) == []


class Service:
    """A service whose load balancer's name resolves at the third request."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 2
        monkeypatch.setattr(requests, "get", self.get)

    def get(self, *_: object, **__: object) -> Any:
        if self.left:
            self.left -= 1
            raise requests.ConnectionError("Temporary failure in name resolution")
        return SimpleNamespace(status_code=200, headers={"X-Version": "abc"})


def test_a_load_balancers_name_that_resolves_late_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = Ended(tmp_path).scenario
    scenario.outputs = cast(Any, SimpleNamespace(service_url="http://load-balancer.example.com"))
    Service(monkeypatch)
    assert scenario.served_version() == "no response (ConnectionError)"
    monkeypatch.setattr("operations.waiting.time.sleep", lambda _: None)
    assert scenario._response().headers["X-Version"] == "abc"


def test_a_network_that_sends_too_little_cannot_say_that_no_request_failed(tmp_path: Path) -> None:
    scenario = Ended(tmp_path).scenario
    prober = Prober("http://load-balancer.example.com", tmp_path / "log")
    prober._started = 0.0
    prober.answers = [Answer(0.0, 1.0, False, 200, "abc")] * 9
    prober.unsent = [Answer(0.0, 1.0, False, error="NameResolutionError", unsent=True)]
    with pytest.raises(ScenarioError, match="too many to tell: 1 requests were not sent, beside 9 that were"):
        scenario.settle(prober, "abc", seconds=0)
