"""The page's server: what a reader is sent, and who may read."""

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

from harness.cloud import Cloud
from harness.dashboard import process, server, watch
from harness.dashboard.__main__ import main
from harness.dashboard.environment_view import Road
from harness.dashboard.event_stream import events
from harness.dashboard.process import listen, start
from harness.dashboard.watch import Watch
from operations.waiting import NotYetError, wait_for
from unit_tests.harness.dashboard.page_states import (
    EVIL,
    EXECUTION,
    RecordedRoad,
    read_until_both_versions_answered,
    served,
    two_versions,
)

PARTS = {"stack", "road", "sides", "logs", "traffic"}


@pytest.fixture
def road(monkeypatch: pytest.MonkeyPatch) -> RecordedRoad:
    monkeypatch.setattr(server, "LOCAL_INTERVAL", 0.05)
    return RecordedRoad()


@pytest.fixture
def url(road: RecordedRoad) -> Iterator[str]:
    with served(road) as url:
        yield url


def first(stream: Iterator[tuple[str, Any]], count: int = len(PARTS)) -> dict[str, Any]:
    return dict(next(stream) for _ in range(count))


def test_a_reader_gets_everything_first_and_then_what_changed(road: RecordedRoad, url: str) -> None:
    stream = events(url)
    assert {**first(stream), "traffic": None} == {**road.state, "traffic": None}
    road.state["logs"] = {"build": ["one more"], "tasks": []}
    assert next(stream) == ("logs", road.state["logs"])


def test_a_reader_who_comes_again_gets_everything_again(url: str) -> None:
    assert set(first(events(url))) == PARTS
    assert set(first(events(url))) == PARTS


def test_what_changed_while_a_reader_was_written_to_is_not_waited_for(road: RecordedRoad) -> None:
    async def change() -> None:
        seen = Watch(cast(Road, road), 1.0, asyncio.get_running_loop())
        before = seen.parts
        seen._publish({"logs": "{}"})
        await asyncio.wait_for(seen.change(before, 60), 5)
        seen.end()
        await asyncio.wait_for(seen.change(seen.parts, 60), 5)

    asyncio.run(change())


def test_nobody_looks_at_the_cloud_when_the_page_has_ended(road: RecordedRoad) -> None:
    with served(road) as url:
        first(events(url))
    wait_for("the end of the looks", ended, deadline=20)


def ended() -> None:
    if left := [one.name for one in threading.enumerate() if one.name == "watch"]:
        raise NotYetError(f"{len(left)} still look")


def test_nobody_looks_at_the_cloud_while_nobody_reads(
    road: RecordedRoad, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LINGER_SECONDS", 0.1)
    monkeypatch.setattr(server, "SILENCE_SECONDS", 0.1)
    with served(road) as url:
        assert requests.get(url, timeout=10).ok
        assert road.looks == 0
        stream = events(url)
        first(stream)
        stream.close()  # type: ignore[attr-defined]

        def rests() -> None:
            before = road.looks
            time.sleep(0.3)
            if road.looks != before:
                raise NotYetError(f"{road.looks} looks")

        wait_for("a rest", rests, deadline=20)
        road.state["logs"] = {"build": ["what came meanwhile"], "tasks": []}
        assert first(events(url))["logs"] == road.state["logs"], "and nothing old is shown first"


def test_a_look_that_breaks_off_ends_the_server(road: RecordedRoad, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the page would stand still and say that it is live."""
    broken = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: broken.append(arguments.exc_type))
    with served(road) as url:
        stream = events(url)
        first(stream)
        monkeypatch.setattr(road, "look", lambda: road.state["no such part"])
        assert {name for name, _ in stream} <= PARTS, "and then it ends"
        wait_for("the end of the page", lambda: gone(url), deadline=20)
    assert broken == [KeyError]


def gone(url: str) -> None:
    if process._answers(url):
        raise NotYetError("it answers")


def test_the_requests_of_each_second_are_counted_by_version(road: RecordedRoad) -> None:
    with two_versions() as road.url, served(road) as url:
        read_until_both_versions_answered(url)


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
def test_no_page_of_another_site_reads_it(url: str, path: str, headers: dict[str, str]) -> None:
    assert requests.get(url + path, headers=headers, timeout=10).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["", "events", f"reports/{EXECUTION}"])
def test_nothing_can_be_done_but_read(url: str, path: str, method: str) -> None:
    assert requests.request(method, url + path, timeout=10).status_code == 405


def test_a_browser_is_told_to_run_the_pages_own_script_and_load_nothing(url: str) -> None:
    answer = requests.get(url, timeout=10)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(re.findall(r"(?:script|style)-src 'sha256-[^']+'", policy)) == 2
    assert not re.findall(r'\b(?:src|href)="(?!data:)', answer.text)


def test_markup_has_no_way_into_the_page() -> None:
    text = server.PAGE.read_text()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("):
        assert way not in text
    assert not re.search(r"\son\w+=", text.partition("<script>")[0])


def test_a_suffix_stays_text(road: RecordedRoad) -> None:
    road.suffix = EVIL
    with served(road) as url:
        text = requests.get(url, timeout=10).text
    assert EVIL not in text
    assert html.escape(EVIL) in text


def test_the_report_of_a_release_runs_nothing_and_one_that_is_not_over_has_none(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "report", lambda _road, execution, _prober: f"<p>{execution}</p>")
    answer = requests.get(f"{url}reports/{EXECUTION}", timeout=10)
    assert answer.text == f"<p>{EXECUTION}</p>"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    monkeypatch.setattr(server, "report", lambda *_: None)
    assert requests.get(f"{url}reports/{EXECUTION}", timeout=10).status_code == 404
    assert requests.get(f"{url}reports/..%2f..%2fetc%2fpasswd", timeout=10).status_code == 404


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    keys = {"AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "local"}
    return Cloud("local_aws", tmp_path, "http://127.0.0.1:9", 0.02, keys)


@pytest.fixture
def lived() -> Iterator[subprocess.Popen[bytes]]:
    """A process that the page shall not outlive."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running
        running.kill()


def test_the_page_listens_on_loopback_alone() -> None:
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(sys, "argv", ["page", "it1", "--port", str(port)])
        assert main() == 2
    said = capsys.readouterr().err
    assert (
        said == f"page: cannot listen on port {port} (Address already in use): choose another with --port\n"
    )


def test_a_page_is_found_again_and_ends_with_the_process_that_it_watches(
    cloud: Cloud, lived: subprocess.Popen[bytes]
) -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        url = start(cloud, "it1", port=port, until=lived.pid)
        assert not url.endswith(f":{port}/"), "the port was taken"
        assert "it1 on local_aws" in requests.get(url, timeout=10).text
        assert start(cloud, "it1", port=port, until=lived.pid) == url
    lived.kill()
    lived.wait()
    wait_for("the end of the page", lambda: gone(url), deadline=20)
    assert (cloud.folder / "it1" / "page.log").read_text() == ""
