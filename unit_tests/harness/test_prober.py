"""The prober, with a small HTTP server."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from harness.prober import Prober, connections_for, is_of_own_network, seconds_of_a_request, through


class Service(ThreadingHTTPServer):
    """Responds as the sample service does, with what a test sets."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.version: str | None = "old"
        self.status = 200
        self.hangs_up = False
        self.connections: set[int] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do_GET(self) -> None:
        self.server.connections.add(self.client_address[1])
        if self.server.hangs_up:
            self.close_connection = True
            return
        self.send_response(self.server.status)
        if self.server.version is not None:
            self.send_header("X-Version", self.server.version)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_working_service_fails_no_probe_at_the_given_rate(service: Service, tmp_path: Path) -> None:
    with Prober(service.url, tmp_path / "log", rate=40) as prober:
        time.sleep(1.5)
    figures = prober.figures()
    assert figures.failures == 0, prober.failures[:2]
    assert 34 <= figures.rate <= 46
    assert figures.versions == {"old": figures.requests}
    assert 0 < figures.p50 <= figures.p95


def test_kept_connections_are_kept_and_fresh_ones_are_not(service: Service, tmp_path: Path) -> None:
    with Prober(service.url, tmp_path / "log", rate=100, connections=4, fresh=1) as prober:
        time.sleep(1)
    fresh = sum(answer.fresh for answer in prober.answers)
    assert fresh > 10
    assert len(service.connections) == 4 + fresh


def test_every_response_is_one_line_of_the_log(service: Service, tmp_path: Path) -> None:
    with Prober(service.url, tmp_path / "log", rate=100) as prober:
        time.sleep(0.3)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(lines) == prober.figures().requests > 0
    assert {line["version"] for line in lines} == {"old"}


def test_a_shift_shows_both_versions(service: Service, tmp_path: Path) -> None:
    with Prober(service.url, tmp_path / "log", rate=100) as prober:
        time.sleep(0.3)
        service.version = "new"
        moment = prober.seconds
        time.sleep(0.5)
        live = prober.recent()[1]
    assert set(prober.figures().versions) == {"old", "new"}
    assert set(prober.figures(moment + 0.1).versions) == {"new"}
    assert set(live) == {"old", "new"}
    assert prober.last_of("old") < moment + 0.1 < prober.last_of("new")


@pytest.mark.parametrize(
    ("breaks", "error"),
    [
        ({"status": 502}, "status 502"),
        ({"version": None}, "no X-Version"),
        ({"hangs_up": True}, "ConnectionError"),
    ],
)
def test_an_invalid_response_is_a_failed_probe(
    service: Service, tmp_path: Path, breaks: dict[str, object], error: str
) -> None:
    with Prober(service.url, tmp_path / "log", rate=100) as prober:
        time.sleep(0.2)
        vars(service).update(breaks)
        time.sleep(0.2)
    figures = prober.figures()
    assert 0 < figures.failures < figures.requests
    assert error in prober.failures[0].error


def test_a_service_without_a_version_has_the_one_that_a_caller_names(
    service: Service, tmp_path: Path
) -> None:
    service.version = None
    with Prober(service.url, tmp_path / "log", rate=100, unversioned="flaskr") as prober:
        time.sleep(0.2)
    figures = prober.figures()
    assert (figures.failures, figures.versions) == (0, {"flaskr": figures.requests})


def test_an_unreachable_service_fails_every_probe(tmp_path: Path) -> None:
    with Prober("http://127.0.0.1:9/", tmp_path / "log", rate=50) as prober:
        time.sleep(0.2)
    figures = prober.figures()
    assert figures.failures == figures.requests > 0


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name resolves, as on a laptop that has left its network."""

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)


@pytest.mark.usefixtures("without_network")
def test_requests_that_this_machines_network_does_not_send_are_no_failures(tmp_path: Path) -> None:
    with Prober("http://load-balancer.example.com/", tmp_path / "log", rate=50) as prober:
        time.sleep(0.3)
    assert prober.figures().requests == prober.figures().failures == 0
    assert len(prober.unsent) > 0
    assert "NameResolutionError" in prober.unsent[0].error
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {line["unsent"] for line in lines} == {True}


@pytest.mark.parametrize(
    ("url", "own"),
    [("http://127.0.0.2:9/", False), ("http://load-balancer.invalid/", True)],
    ids=["refused", "unresolved"],
)
def test_a_connection_that_the_load_balancer_refuses_is_its_failure(url: str, own: bool) -> None:
    with pytest.raises(requests.RequestException) as caught:
        requests.get(url, timeout=5)
    assert is_of_own_network(caught.value) is own


def test_a_proxy_that_does_not_answer_is_this_machines_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    url = "http://load-balancer.example.com/"
    assert through(url) == " through http://127.0.0.1:9, whose errors count as failed"
    with pytest.raises(requests.RequestException) as caught:
        requests.get(url, timeout=5)
    assert is_of_own_network(caught.value)
    monkeypatch.setenv("no_proxy", ".example.com")
    assert through(url) == ""


def test_above_the_maximum_the_oldest_answers_are_dropped(service: Service, tmp_path: Path) -> None:
    with Prober(service.url, tmp_path / "log", rate=200, max_answers=20) as prober:
        time.sleep(0.5)
    logged = [json.loads(line)["at"] for line in (tmp_path / "log").read_text().splitlines()]
    assert len(logged) > 40
    assert 10 <= len(prober.answers) <= 20
    assert [answer.at for answer in prober.answers] == logged[-len(prober.answers) :]


@pytest.mark.parametrize(
    ("seconds", "connections"),
    [(0.0, (8, 2)), (0.05, (8, 2)), (0.25, (36, 9)), (60.0, (160, 40))],
    ids=["here", "near", "far", "broken"],
)
def test_the_farther_the_service_the_more_connections(seconds: float, connections: tuple[int, int]) -> None:
    assert connections_for(120, seconds) == connections


def test_the_time_of_a_request_is_measured_also_without_a_service() -> None:
    assert 0 < seconds_of_a_request("http://127.0.0.1:9/") < 10
