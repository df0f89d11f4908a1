"""Build starts an image as its task will run, asks it, and says what is missing."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from infrastructure.constructs.release_files import try_image
from unit_tests.contract.contract_files import ENVIRONMENT
from unit_tests.contract.recorded_build import COMMIT, IMAGE, Build

REFUSES_ADDRESSES = "/strict"
WITHOUT_VERSION, OTHER_VERSION = "/health-without-version", "/health-of-another"
STATUSES = {ENVIRONMENT["HEALTH_PATH"]: 200, WITHOUT_VERSION: 200, OTHER_VERSION: 200, "/api/items": 401}
APP = {
    "name": "app",
    "user": "10001:10001",
    "readonlyRootFilesystem": True,
    "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
    "environment": [{"name": "PORT", "value": "8080"}, {"name": "TABLE", "value": "two words"}],
}


class Service(BaseHTTPRequestHandler):
    """The service: healthy, and of the version in its path."""

    def do_GET(self) -> None:
        """Respond with the status of the path."""
        strict = self.path == REFUSES_ADDRESSES and self.headers["Host"] != "orders.example.com"
        self.send_response(400 if strict else STATUSES.get(self.path, 404))
        if self.path != WITHOUT_VERSION:
            self.send_header("X-Version", "None" if self.path == OTHER_VERSION else COMMIT)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
        """Stay quiet."""


@pytest.fixture
def port() -> Iterator[str]:
    """Return the port of a healthy service on loopback."""
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a build with the filled task definition."""
    (tmp_path / "taskdef.json").write_text(json.dumps({"containerDefinitions": [APP]}))
    build = Build(tmp_path)
    build.environment["PLATFORM"] = str(Path(try_image.__file__).parent)
    build.answer()
    return build


def smoke(build: Build, port: str, **variables: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Try the image on `port`; return the result and the Docker subcommands that were used."""
    build.environment.update(variables, PORT=port)
    result = build.run("try_image.py")
    return result, [call.split()[1] for call, _ in build.calls]


def with_app(build: Build, **fields: Any) -> None:
    (build.folder / "taskdef.json").write_text(json.dumps({"containerDefinitions": [{**APP, **fields}]}))


def test_a_healthy_image_passes_and_is_removed(build: Build, port: str) -> None:
    result, used = smoke(build, port)
    assert result.returncode == 0, result.stderr
    assert used == ["run", "exec", "logs", "rm"]


def test_a_server_that_does_not_listen_yet_is_waited_for_by_one_docker_exec(build: Build) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    late = HTTPServer(("127.0.0.1", port), Service, bind_and_activate=False)
    late.allow_reuse_address, late.timeout = True, 10.0

    def listen() -> None:
        late.server_bind()
        late.server_activate()
        late.handle_request()

    timer = threading.Timer(0.7, listen)
    timer.start()
    result, used = smoke(build, str(port))
    timer.join()
    late.server_close()
    assert result.returncode == 0, result.stderr
    assert used == ["run", "exec", "logs", "rm"]


def test_the_image_gets_what_its_task_will_give_it(build: Build, port: str) -> None:
    with_app(
        build, secrets=[{"name": "TOKEN", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/token"}]
    )
    smoke(build, port)
    assert build.calls[0][0] == (
        "docker run --detach --name smoke-7a1b --user 10001:10001 --read-only --env PORT=8080 "
        f"--env TABLE=two words --env TOKEN=stand-in --cap-drop ALL {IMAGE}"
    )


def test_an_image_that_names_no_version_passes(build: Build, port: str) -> None:
    assert smoke(build, port, HEALTH_PATH=WITHOUT_VERSION)[0].returncode == 0


def test_another_version_is_refused_with_the_header_and_the_way_out(build: Build, port: str) -> None:
    result, used = smoke(build, port, HEALTH_PATH=OTHER_VERSION)
    assert result.returncode == 1
    assert (
        f"the header X-Version says 'None', not {COMMIT}: send the build argument GIT_COMMIT" in result.stderr
    )
    assert used == ["run", "exec", "logs", "rm"]


def test_an_image_that_does_not_start_is_named_with_dockers_reason(build: Build, port: str) -> None:
    build.answer(("docker run", "", 125))
    result, used = smoke(build, port)
    assert "the image does not start" in result.stderr
    assert result.returncode == 1
    assert used == ["run", "logs", "rm"]


def test_an_image_that_ended_is_told_by_its_own_last_line(build: Build, port: str) -> None:
    build.answer(
        ("docker exec", "", 137),
        ("State.Running", "false 1", 0),
        ("logs", "boot\nKeyError: 'ORDERS'", 0),
        ("{{.Image}}", "sha256:1", 0),
        ("Config.Cmd}} sha256:1", '["python3"]', 0),
    )
    result, used = smoke(build, port)
    assert result.returncode == 1
    assert used == ["run", "exec", "inspect", "logs", "inspect", "inspect", "logs", "rm"]
    (line,) = result.stderr.splitlines()
    assert 'ended with exit code 1 before it answered /health; its command: ["python3"]; ' in line
    assert "its last line: KeyError: 'ORDERS'" in line
    assert "It had the variables PORT, TABLE" in line
    assert "two words" not in line


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nowhere", "status 404. It must listen"),
        (REFUSES_ADDRESSES, "status 400 (for Host: 10.0.0.10, as a load balancer's health check asks)"),
    ],
)
def test_an_image_without_the_health_path_is_told_what_it_answers(
    build: Build, port: str, path: str, reason: str
) -> None:
    shortened = build.folder / "try_image.py"
    shortened.write_text(Path(try_image.__file__).read_text().replace("SECONDS = 30", "SECONDS = 0"))
    build.answer(("inspect", "true 0", 0))
    result, used = smoke(build, port, HEALTH_PATH=path, PLATFORM=str(build.folder))
    assert result.returncode == 1
    assert f"does not answer {path} with 200 within 0 s: {reason}" in result.stderr
    assert "`healthPath` of the catalogue" in result.stderr
    assert used == ["run", "exec", "inspect", "logs", "rm"]


def test_what_the_hook_will_ask_is_asked_only_if_it_is_given(build: Build, port: str) -> None:
    paths = [{"path": "/api/items", "status": 401}]
    result, _ = smoke(build, port, SMOKE_PATHS=json.dumps(paths))
    assert result.returncode == 0
    assert "/api/items responds with 401" in result.stdout
    refused, _ = smoke(build, port, SMOKE_PATHS=json.dumps([*paths, {"path": "/", "status": 200}]))
    assert refused.returncode == 1
    assert "the test-traffic hook asks / and expects 200: status 404" in refused.stderr
