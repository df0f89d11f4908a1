"""The gateway admits programs of this machine, and no web pages."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.iam.request_parser import HttpRequest
from local_aws.server import gateway
from local_aws.server.gateway import Gateway, is_local


async def ministack(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"ministack"})


async def git(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 298, "headers": []})
    await send({"type": "http.response.body", "body": b"git"})


def ask(
    path: str = "/",
    *,
    method: str = "GET",
    body: bytes = b"",
    plant_findings: Callable[[object], int] | None = None,
    metadata: dict[str, dict[str, str]] | None = None,
    **headers: str,
) -> tuple[int, bytes]:
    context = Context(Path("/nowhere"), "http://127.0.0.1:1", Clock(), "i", lambda *_: None)
    context.background_errors.append("something failed")
    addresses = {"lb:80": "127.0.0.1:9"}
    server = Gateway(
        context,
        ministack,
        git=git,
        addresses=lambda: addresses,
        plant_findings=plant_findings,
        task_metadata=(metadata or {}).get,
    )
    given = {"host": "127.0.0.1:4566", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    asyncio.run(server(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4566", "127.3.2.1", "[::1]:80", "localhost:1", "bucket.s3.localhost:4566", "LOCALHOST"],
)
def test_a_name_of_this_machine_is_admitted(host: str) -> None:
    assert is_local(host)
    assert ask(host=host)[0] == 299


@pytest.mark.parametrize(
    "host", ["evil.example", "10.0.0.1:4566", "localhost.evil.example", "notlocalhost", "", "["]
)
def test_any_other_host_is_rejected(host: str) -> None:
    status, body = ask(host=host)
    assert status == 403
    assert b"not of this machine" in body


def test_a_page_of_another_site_is_rejected() -> None:
    assert ask(origin="https://evil.example")[0] == 403
    assert ask(origin="null")[0] == 403
    assert ask(origin="http://[")[0] == 403
    assert ask(origin="http://localhost:3000")[0] == 403
    assert ask(sec_fetch_site="cross-site")[0] == 403


def test_its_own_pages_are_admitted() -> None:
    assert ask(origin="http://127.0.0.1:4566", sec_fetch_site="same-origin")[0] == 299


def test_repositories_go_to_git_and_other_paths_to_ministack() -> None:
    assert ask("/v1/repos/repository-dev/info/refs") == (298, b"git")
    assert ask("/v1/other") == (299, b"ministack")


def test_own_paths_return_background_errors_and_listeners() -> None:
    assert json.loads(ask("/_local_aws/background-errors")[1])["errors"] == ["something failed"]
    assert json.loads(ask("/_local_aws/listeners")[1]) == {"lb:80": "127.0.0.1:9"}
    assert ask("/_local_aws/other")[0] == 404


def test_a_task_reads_its_metadata_without_credentials() -> None:
    found = {"1/app/task": {"TaskARN": "arn"}}
    path = "/_local_aws/task-metadata/1/app/task"
    assert ask(path, metadata=found) == (200, b'{"TaskARN":"arn"}')
    assert ask(f"{path}/x", metadata=found)[0] == 404


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("POST", b'[{"name": "CVE-1"}]', 200), ("POST", b"{", 400), ("POST", b"{}", 400), ("GET", b"", 405)],
)
def test_findings_are_planted_by_post(method: str, body: bytes, status: int) -> None:
    planted: list[object] = []

    def plant(given: object) -> int:
        if not isinstance(given, list):
            raise ValueError("findings must be a list")
        planted.extend(given)
        return len(planted)

    path, owner = "/_local_aws/image-scan-findings", "Bearer local"
    assert ask(path, method=method, body=body, plant_findings=plant)[0] == 403, "without the secret"
    assert ask(path, method=method, body=body, plant_findings=plant, authorization=owner)[0] == status
    assert planted == ([{"name": "CVE-1"}] if status == 200 else [])


def sign(service: str, region: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential=000000000000/20260101/{region}/{service}/aws4_request, Signature=x"


@pytest.mark.parametrize("service", ["ecs", "s3", "sqs", "ec2", "cloudformation", "lambda"])
def test_a_call_signed_for_another_region_is_refused_by_name(service: str) -> None:
    status, body = ask("/bucket", authorization=sign(service, "eu-west-1"))
    assert status == 501
    assert b"UnsupportedOperation" in body
    assert b"local_aws has the region us-east-1 only: the call is signed for eu-west-1" in body
    assert ask("/bucket", authorization=sign(service, "us-east-1"))[0] == 299


def test_a_json_call_for_another_region_has_the_code_in_its_header_and_body() -> None:
    target = "AmazonEC2ContainerServiceV20141113.ListClusters"
    status, body = ask(method="POST", authorization=sign("ecs", "eu-west-1"), x_amz_target=target)
    assert status == 501
    assert json.loads(body)["__type"] == "UnsupportedOperation"


@pytest.mark.parametrize("service", ["iam", "sts", "route53", "cloudfront", "s3"])
def test_a_global_call_is_accepted_from_every_region(service: str) -> None:
    assert ask("/", authorization=sign(service, "eu-west-1"))[0] == 299


def test_the_objects_of_a_bucket_in_the_host_name_are_refused_in_another_region() -> None:
    assert ask("/", host="bucket.localhost:1", authorization=sign("s3", "eu-west-1"))[0] == 501


def test_a_body_without_an_end_is_refused_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that needs a permission is read whole before it is decided: it must not take all memory."""
    monkeypatch.setattr(gateway, "LARGEST_BODY", 1000)
    context = Context(Path("/nowhere"), "http://127.0.0.1:1", Clock(), "i", lambda *_: None)
    headers = [(b"host", b"127.0.0.1:4566"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "PUT", "path": "/", "raw_path": b"/", "query_string": b""}
    chunks: list[int] = []
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        chunks.append(100)
        assert len(chunks) < 100, "it reads on"
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    server = Gateway(context, ministack, authorizer=Undecided())
    asyncio.run(server({**scope, "headers": headers}, receive, send))
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert sum(chunks) == 1100


class Undecided:
    """Every request needs a permission, and none is decided."""

    def is_free(self, _request: HttpRequest) -> bool:
        return False

    def check(self, _request: HttpRequest) -> None:
        pytest.fail("the request was decided")

    def report(self) -> dict[str, Any]:
        return {}
