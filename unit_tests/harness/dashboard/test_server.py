"""The dashboard's server: what it sends to a reader, and which requests it rejects."""

import asyncio
import html
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from botocore.exceptions import ClientError, EndpointConnectionError

from harness.__main__ import main
from harness.cloud import Cloud, HarnessError
from harness.dashboard import poller, process, server
from harness.dashboard.environment_view import EnvironmentView
from harness.dashboard.event_stream import events
from harness.dashboard.poller import Poller
from harness.dashboard.process import listen, start_dashboard
from operations.waiting import NotYetError, wait_for
from unit_tests.harness.dashboard.page_states import (
    EXECUTION,
    MARKUP,
    RecordedView,
    read_until_both_versions_answered,
    served,
    two_versions,
)

PARTS = {"stack", "pipeline", "failure", "target_groups", "logs", "traffic"}


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> RecordedView:
    monkeypatch.setattr(server, "LOCAL_INTERVAL", 0.05)
    return RecordedView()


@pytest.fixture
def url(view: RecordedView) -> Iterator[str]:
    with served(view) as url:
        yield url


def first(stream: Iterator[tuple[str, Any]], count: int = len(PARTS)) -> dict[str, Any]:
    return dict(next(stream) for _ in range(count))


def test_a_reader_gets_everything_first_and_then_what_changed(view: RecordedView, url: str) -> None:
    stream = events(url)
    assert {**first(stream), "traffic": None} == {**view.state, "traffic": None}
    view.state["logs"] = {"build": ["one more"], "tasks": []}
    assert next(stream) == ("logs", view.state["logs"])


def test_a_reader_that_reconnects_gets_everything_again(url: str) -> None:
    assert set(first(events(url))) == PARTS
    assert set(first(events(url))) == PARTS


def test_a_change_during_a_write_is_sent_without_a_wait(view: RecordedView) -> None:
    async def change() -> None:
        seen = Poller(cast(EnvironmentView, view), 1.0, asyncio.get_running_loop())
        before = seen.parts
        seen._publish({"logs": "{}"})
        await asyncio.wait_for(seen.change(before, 60), 5)
        seen.end()
        await asyncio.wait_for(seen.change(seen.parts, 60), 5)

    asyncio.run(change())


def test_the_cloud_is_not_read_after_the_page_has_ended(view: RecordedView) -> None:
    with served(view) as url:
        first(events(url))
    wait_for("the end of the poller", ended, deadline=20)


def ended() -> None:
    if left := [one.name for one in threading.enumerate() if one.name == "poller"]:
        raise NotYetError(f"{len(left)} are still running")


def test_the_cloud_is_not_read_while_the_page_has_no_readers(
    view: RecordedView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "LINGER_SECONDS", 0.1)
    monkeypatch.setattr(server, "SILENCE_SECONDS", 0.1)
    with served(view) as url:
        assert requests.get(url, timeout=10).ok
        assert view.reads == 0
        stream = events(url)
        first(stream)
        stream.close()  # type: ignore[attr-defined]

        def pauses() -> None:
            before = view.reads
            time.sleep(0.3)
            if view.reads != before:
                raise NotYetError(f"{view.reads} reads")

        wait_for("a pause", pauses, deadline=20)
        view.state["logs"] = {"build": ["a later line"], "tasks": []}
        assert first(events(url))["logs"] == view.state["logs"], "nothing outdated is sent first"


def test_an_unexpected_error_ends_the_server(view: RecordedView, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the page would stand still and say that it is live."""
    broken = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: broken.append(arguments.exc_type))
    with served(view) as url:
        stream = events(url)
        first(stream)
        monkeypatch.setattr(view, "read", lambda: view.state["no such part"])
        assert {name for name, _ in stream} <= PARTS, "then it ends"
        wait_for("the end of the page", lambda: gone(url), deadline=20)
    # The hook is called in the thread, after the server has ended.
    wait_for("the end of the poller", ended, deadline=20)
    assert broken == [KeyError]


def gone(url: str) -> None:
    if process._answers(url):
        raise NotYetError("it answers")


def test_the_requests_of_each_second_are_counted_by_version(view: RecordedView) -> None:
    with two_versions() as view.url, served(view) as url:
        read_until_both_versions_answered(url)


def test_a_service_without_a_version_and_without_a_page_at_its_root_has_no_failed_request(
    view: RecordedView,
) -> None:
    view.health_path = "/api/health"
    with two_versions(path="/api/health", header="Server-Timing") as view.url, served(view) as url:
        for name, part in events(url):
            if name == "traffic" and (readings := part["readings"]) and readings[-1]["versions"]:
                break
    assert {one for reading in readings for one in reading["versions"]} == {"without X-Version"}
    assert sum(reading["failed"] for reading in readings) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "["},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["", "events", f"reports/{EXECUTION}"])
def test_pages_of_other_sites_cannot_read_it(url: str, path: str, headers: dict[str, str]) -> None:
    assert requests.get(url + path, headers=headers, timeout=10).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["", "events", f"reports/{EXECUTION}"])
def test_only_get_is_allowed(url: str, path: str, method: str) -> None:
    assert requests.request(method, url + path, timeout=10).status_code == 405


def test_the_browser_may_run_only_the_pages_own_script_and_load_nothing(url: str) -> None:
    answer = requests.get(url, timeout=10)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(re.findall(r"(?:script|style)-src 'sha256-[^']+'", policy)) == 2
    assert not re.findall(r'(?<!<a )\b(?:src|href)="(?!data:)', answer.text)


def test_the_page_never_writes_markup() -> None:
    text = server.PAGE.read_text()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("):
        assert way not in text
    assert not re.search(r"\son\w+=", text.partition("<script>")[0])


def test_the_name_of_the_cloud_stays_text(view: RecordedView) -> None:
    view.cloud.name = MARKUP
    with served(view) as url:
        text = requests.get(url, timeout=10).text
    assert MARKUP not in text
    assert html.escape(MARKUP) in text


def test_a_report_runs_no_script_and_an_unfinished_release_has_none(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "report", lambda _view, execution, _prober: f"<p>{execution}</p>")
    answer = requests.get(f"{url}reports/{EXECUTION}", timeout=10)
    assert answer.text == f"<p>{EXECUTION}</p>"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    monkeypatch.setattr(server, "report", lambda *_: None)
    assert requests.get(f"{url}reports/{EXECUTION}", timeout=10).status_code == 404
    assert requests.get(f"{url}reports/..%2f..%2fetc%2fpasswd", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HarnessError("stack-it1 is not deployed"), 404),
        (ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "GetPipelineState"), 503),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), 503),
    ],
    ids=["not deployed", "refused by AWS", "no connection"],
)
def test_a_report_that_cannot_be_made_is_one_line_and_no_server_error(
    url: str, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(server, "report", fail)
    answer = requests.get(f"{url}reports/{EXECUTION}", timeout=10)
    assert (answer.status_code, answer.text) == (status, f"no report of {EXECUTION}: {error}")


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    keys = {"AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "local"}
    return Cloud("local_aws", tmp_path, "http://127.0.0.1:9", 0.02, keys)


@pytest.fixture
def watched_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that the page must not outlive."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running
        running.kill()


def test_the_page_listens_on_loopback_alone() -> None:
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        assert main(["dashboard", "it1", "--port", str(port)]) == 2
    message = f"cannot listen on port {port} (Address already in use): choose another with --port"
    assert capsys.readouterr().err == f"dashboard: {message}\n"


def test_a_page_is_found_again_and_ends_with_its_process(
    cloud: Cloud, watched_process: subprocess.Popen[bytes]
) -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        url = start_dashboard(cloud, "it1", port=port, until=watched_process.pid)
        assert f":{port}/" not in url, "the port was taken"
        assert "it1 on local_aws" in requests.get(url, timeout=10).text
        assert start_dashboard(cloud, "it1", port=port, until=watched_process.pid) == url
    watched_process.kill()
    watched_process.wait()
    wait_for("the end of the page", lambda: gone(url), deadline=20)
    assert (cloud.folder / "it1" / "page.log").read_text() == ""
