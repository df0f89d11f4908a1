"""The test-traffic hook: which responses succeed, which fail, and that it always reports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infrastructure.constructs.alarms import LEAST_ERRORS
from infrastructure.constructs.traffic_hook.function import handler as hook
from unit_tests.infrastructure.constructs.traffic_hook.hook_fakes import (
    COMMIT,
    DIGEST,
    KEY,
    NEW,
    OLD,
    RIGHT,
    Answer,
    Aws,
    Service,
    line,
    run,
)


def test_a_version_that_always_responds_succeeds(
    aws: Aws, service: Service, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.returns_running_release()
    aws.expects_report("Succeeded")
    assert run() == "Succeeded"
    assert service.asked == ["/health", "/"] * 5
    assert line(capsys) == {
        "deployment": "d-1",
        "commit": COMMIT,
        "digest": DIGEST,
        "url": url,
        "signedBy": KEY,
        "imageScan": {"threshold": "CRITICAL", "status": "COMPLETE", "findings": 0, "excepted": {}},
        "responses": {
            f"GET /health: 200 of version {COMMIT}": 5,
            f"GET /: 200 of version {COMMIT}": 5,
        },
        "status": "Succeeded",
    }


def test_every_request_has_a_connection_of_its_own(aws: Aws, service: Service) -> None:
    """Over a kept connection, the load balancer might use one task only."""
    aws.returns_running_release()
    aws.expects_report("Succeeded")
    run()
    assert len(service.clients) == len(service.asked) == 10


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda path, _: (500 if path == "/" else 200, COMMIT), f"/: expected {RIGHT}, got 500 of {NEW}"),
        (
            lambda path, _: (503 if path != "/" else 200, COMMIT),
            f"/health: expected {RIGHT}, got 503 of {NEW}",
        ),
        (lambda *_: (200, OLD), f"/health: expected {RIGHT}, got 200 of version {OLD}"),
        (
            lambda _, number: (200, OLD if number % 10 == 0 else COMMIT),
            f"/: expected {RIGHT}, got 200 of version {OLD}",
        ),
        (lambda *_: (204, COMMIT), f"/health: expected {RIGHT}, got 204 of {NEW}"),
        (lambda *_: (404, None), "/health: expected 200, got 404"),
        (lambda *_: (302, None), "/health: expected 200, got 302"),
    ],
    ids=[
        *("an error", "an unhealthy version", "another version", "one task of another version"),
        *("no content", "a missing page", "a redirect"),
    ],
)
def test_an_unexpected_response_fails_the_deployment(
    aws: Aws,
    service: Service,
    capsys: pytest.CaptureFixture[str],
    answer: Callable[[str, int], Answer],
    said: str,
) -> None:
    service.answer = answer
    aws.returns_running_release()
    aws.expects_report("Failed")
    assert run() == "Failed"
    told = line(capsys)
    assert told["reason"].startswith("HookError: GET http://127.0.0.1:")
    assert f"{said}, in attempt 4 of 4" in told["reason"]
    assert aws.slept == [10.0] * 3


def test_its_own_requests_cannot_trigger_the_alarm_on_errors(aws: Aws, service: Service) -> None:
    service.answer = lambda *_: (500, COMMIT)
    aws.returns_running_release()
    aws.expects_report("Failed")
    run()
    assert len(service.asked) < LEAST_ERRORS


def test_the_old_version_may_respond_until_the_listener_has_changed(aws: Aws, service: Service) -> None:
    service.answer = lambda _, number: (200, OLD if number <= 2 else COMMIT)
    aws.returns_running_release()
    aws.expects_report("Succeeded")
    assert run() == "Succeeded"
    assert aws.slept == [10.0, 10.0]
    assert len(service.asked) == 2 + 10


def test_a_listener_without_a_response_fails_the_deployment(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEST_URL", "http://127.0.0.1:1")
    aws.returns_running_release()
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert "got no response (" in line(capsys)["reason"]


def test_it_reports_before_lambda_stops_the_function(aws: Aws, service: Service) -> None:
    """A function that is cut off reports nothing, and the deployment hangs for an hour (pitfall N6)."""
    service.answer = lambda *_: (500, COMMIT)
    aws.returns_running_release()
    aws.expects_report("Failed")
    assert run(seconds=hook.REPORT_SECONDS + hook.ATTEMPT_SECONDS) == "Failed"
    assert aws.slept == []


def test_it_reports_when_aws_denies_a_call(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.stubs["ecs"].add_client_error("describe_services", "AccessDeniedException", "not authorized")
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert "AccessDeniedException" in line(capsys)["reason"]


def test_a_url_that_is_not_http_is_not_opened(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEST_URL", "file:///etc")
    aws.returns_running_release()
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert "no HTTP URL" in line(capsys)["reason"]


def test_a_failed_report_fails_the_function_so_that_lambda_retries(aws: Aws) -> None:
    aws.returns_running_release()
    aws.stubs["codedeploy"].add_client_error(
        "put_lifecycle_event_hook_execution_status", "ThrottlingException", "slow down"
    )
    with pytest.raises(Exception, match="ThrottlingException"):
        run()
