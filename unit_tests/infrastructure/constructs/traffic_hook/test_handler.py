"""The test-traffic hook: which versions succeed, which fail, and that it always reports."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infrastructure.constructs.alarms import LEAST_ERRORS
from infrastructure.constructs.traffic_hook.function import handler as hook

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OLD = "f" * 40
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "execution-1"}
TASK_DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/task-dev:7"
Answer = tuple[int, str]


@dataclass
class Service:
    """What responds at the test listener: `answer(path, number)` returns a status and a version."""

    answer: Callable[[str, int], Answer] = lambda *_: (200, COMMIT)
    asked: list[str] = field(default_factory=list)
    clients: set[tuple[str, int]] = field(default_factory=set)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def url(service: Service) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            service.asked.append(self.path)
            service.clients.add(self.client_address)
            status, version = service.answer(self.path, len(service.asked))
            self.send_response(status)
            self.send_header("X-Version", version)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@dataclass
class Aws:
    """The AWS services that the hook calls, with their next responses; an unexpected call fails."""

    stubs: dict[str, Stubber]
    slept: list[float] = field(default_factory=list)

    def client(self, name: str, **_: object) -> Any:
        return self.stubs[name].client

    def returns_release(
        self,
        *,
        external_id: str = "d-1",
        container: str = "app",
        commit: str | None = COMMIT,
    ) -> None:
        """Return the release from ECS."""
        task_sets = [
            {"id": "ecs-svc/1", "externalId": "d-0", "taskDefinition": "task-dev:6"},
            {"id": "ecs-svc/2", "externalId": external_id, "taskDefinition": TASK_DEFINITION},
        ]
        self.stubs["ecs"].add_response(
            "describe_services",
            {"services": [{"taskSets": task_sets}]},
            {"cluster": "cluster-dev", "services": ["service-dev"]},
        )
        labels = {} if commit is None else {"dockerLabels": {"org.opencontainers.image.revision": commit}}
        sidecar = {"name": "sidecar", "dockerLabels": {"org.opencontainers.image.revision": OLD}}
        self.stubs["ecs"].add_response(
            "describe_task_definition",
            {"taskDefinition": {"containerDefinitions": [sidecar, {"name": container, **labels}]}},
            {"taskDefinition": TASK_DEFINITION},
        )

    def expects_report(self, status: str) -> None:
        """Expect the report."""
        self.stubs["codedeploy"].add_response(
            "put_lifecycle_event_hook_execution_status",
            {"lifecycleEventHookExecutionId": "execution-1"},
            {"deploymentId": "d-1", "lifecycleEventHookExecutionId": "execution-1", "status": status},
        )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[Aws]:
    """The AWS that the hook calls; the expected report must be sent."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name, value in {
        "CLUSTER": "cluster-dev",
        "SERVICE": "service-dev",
        "CONTAINER_NAME": "app",
        "TEST_URL": url,
        "HEALTH_PATH": "/health",
    }.items():
        monkeypatch.setenv(name, value)
    session = boto3.session.Session("key", "secret", region_name="us-east-1")
    stubs = {name: Stubber(session.client(name)) for name in ("ecs", "codedeploy")}
    made = Aws(stubs)
    monkeypatch.setattr(boto3, "client", made.client)
    # Only the handler's clock: other threads of this process use the real one.
    monkeypatch.setattr(hook, "time", SimpleNamespace(sleep=made.slept.append))
    for stub in stubs.values():
        stub.activate()
    yield made
    stubs["codedeploy"].assert_no_pending_responses()


@dataclass
class Context:
    """Lambda's context."""

    seconds: float = 300.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def run(seconds: float = 300.0) -> str:
    return hook.handler(EVENT, Context(seconds))["status"]


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The hook's one line."""
    (written,) = capsys.readouterr().out.splitlines()
    told: dict[str, Any] = json.loads(written)
    return told


def test_a_version_that_always_responds_succeeds(
    aws: Aws, service: Service, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.returns_release()
    aws.expects_report("Succeeded")
    assert run() == "Succeeded"
    assert service.asked == ["/health", "/"] * 5
    assert line(capsys) == {
        "deployment": "d-1",
        "url": url,
        "expected": COMMIT,
        "answers": {f"GET /health: 200 {COMMIT}": 5, f"GET /: 200 {COMMIT}": 5},
        "status": "Succeeded",
    }


def test_every_request_has_a_connection_of_its_own(aws: Aws, service: Service) -> None:
    """Over a kept connection, the load balancer might use one task only."""
    aws.returns_release()
    aws.expects_report("Succeeded")
    run()
    assert len(service.clients) == len(service.asked) == 10


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda path, _: (500 if path == "/" else 200, COMMIT), f"/ responded with 500 {COMMIT}"),
        (lambda path, _: (503 if path == "/health" else 200, COMMIT), f"/health responded with 503 {COMMIT}"),
        (lambda *_: (200, OLD), f"/health responded with 200 {OLD}"),
        (lambda _, number: (200, OLD if number % 10 == 0 else COMMIT), f"/ responded with 200 {OLD}"),
        (lambda *_: (204, COMMIT), f"/health responded with 204 {COMMIT}"),
    ],
    ids=["an error", "an unhealthy version", "another version", "one task of another version", "no content"],
)
def test_an_unexpected_response_fails_the_deployment(
    aws: Aws,
    service: Service,
    capsys: pytest.CaptureFixture[str],
    answer: Callable[[str, int], Answer],
    said: str,
) -> None:
    service.answer = answer
    aws.returns_release()
    aws.expects_report("Failed")
    assert run() == "Failed"
    told = line(capsys)
    assert told["reason"].startswith("HookError: http://127.0.0.1:")
    assert f"{said}, not 200 {COMMIT}, in attempt 4 of 4" in told["reason"]
    assert aws.slept == [10.0] * 3


def test_its_own_requests_cannot_trigger_the_alarm_on_errors(aws: Aws, service: Service) -> None:
    service.answer = lambda *_: (500, COMMIT)
    aws.returns_release()
    aws.expects_report("Failed")
    run()
    assert len(service.asked) < LEAST_ERRORS


def test_the_old_version_may_respond_until_the_listener_has_changed(aws: Aws, service: Service) -> None:
    service.answer = lambda _, number: (200, OLD if number <= 2 else COMMIT)
    aws.returns_release()
    aws.expects_report("Succeeded")
    assert run() == "Succeeded"
    assert aws.slept == [10.0, 10.0]
    assert len(service.asked) == 2 + 10


def test_a_listener_without_a_response_fails_the_deployment(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEST_URL", "http://127.0.0.1:1")
    aws.returns_release()
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert "responded with nothing (" in line(capsys)["reason"]


def test_it_reports_before_lambda_stops_the_function(aws: Aws, service: Service) -> None:
    """A function that is cut off reports nothing, and the deployment hangs for an hour (pitfall N6)."""
    service.answer = lambda *_: (500, COMMIT)
    aws.returns_release()
    aws.expects_report("Failed")
    assert run(seconds=hook.REPORT_SECONDS + hook.ATTEMPT_SECONDS) == "Failed"
    assert aws.slept == []


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"external_id": "d-2"}, "has 0 task sets of this deployment"),
        ({"container": "web"}, "is missing, not a commit"),
        ({"commit": None}, "is None, not a commit"),
        ({"commit": "${IMAGE_TAG}"}, "is ${IMAGE_TAG}, not a commit"),
    ],
)
def test_a_release_without_a_commit_fails_without_a_request(
    aws: Aws, service: Service, capsys: pytest.CaptureFixture[str], told: dict[str, Any], said: str
) -> None:
    aws.returns_release(**told)
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert said in line(capsys)["reason"]
    assert service.asked == []


def test_it_reports_when_aws_denies_a_call(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.stubs["ecs"].add_client_error("describe_services", "AccessDeniedException", "not authorized")
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert "AccessDeniedException" in line(capsys)["reason"]


def test_a_url_that_is_not_http_is_not_opened(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEST_URL", "file:///etc")
    aws.returns_release()
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert "no HTTP URL" in line(capsys)["reason"]


def test_a_failed_report_fails_the_function_so_that_lambda_retries(aws: Aws) -> None:
    aws.returns_release()
    aws.stubs["codedeploy"].add_client_error(
        "put_lifecycle_event_hook_execution_status", "ThrottlingException", "slow down"
    )
    with pytest.raises(Exception, match="ThrottlingException"):
        run()
