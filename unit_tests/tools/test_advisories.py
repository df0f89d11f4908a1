"""The database of advisories: fetched page by page, reduced, and written only when it is whole."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError

import pytest

from infrastructure.constructs.dependency_audit import ADVISORIES
from tools import advisories

EVENTS = [{"fixed": "1.4"}, {"introduced": "0"}, {"introduced": "2.0"}, {"last_affected": "2.1"}]
ADVISORY = {
    "id": "PYSEC-2026-1",
    "aliases": ["GHSA-1", "CVE-2026-0001"],
    "details": "A long text",
    "affected": [
        {
            "package": {"name": "Flask", "ecosystem": "PyPI", "purl": "pkg:pypi/flask"},
            "ranges": [
                {"type": "GIT", "events": [{"introduced": "0"}]},
                {"type": "ECOSYSTEM", "events": EVENTS},
            ],
            "versions": ["1.0", "1.3"],
        },
        {"package": {"name": "python-flask", "ecosystem": "Debian"}},
    ],
}
RANGES = [["0", "<1.4"], ["2.0", "<=2.1"]]


class Osv(BaseHTTPRequestHandler):
    """OSV's query: the answers by package and page token."""

    answers: ClassVar[dict[tuple[str, str], dict[str, Any]]] = {}

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.answers.get((query["package"]["name"], query.get("page_token", "")))
        self.send_response(200 if answer is not None else 500)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay quiet."""


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def test_every_page_is_read_and_what_was_withdrawn_is_left_out(
    osv: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawn = {"id": "PYSEC-2026-2", "withdrawn": "2026-01-01T00:00:00Z", "affected": []}
    answers = {
        ("flask", ""): {"vulns": [withdrawn], "next_page_token": "2"},
        ("flask", "2"): {"vulns": [ADVISORY]},
    }
    monkeypatch.setattr(Osv, "answers", answers)
    assert list(advisories.advisories_of("flask", osv)) == [ADVISORY]


def test_an_advisory_has_its_cve_as_its_name_and_the_ranges_of_its_package() -> None:
    assert advisories.by_name("flask", [ADVISORY]) == {"CVE-2026-0001": RANGES}
    assert advisories.by_name("werkzeug", [ADVISORY]) == {}


def test_two_records_of_a_vulnerability_are_one() -> None:
    affected = {"package": {"name": "flask", "ecosystem": "PyPI"}}
    wider = {**affected, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}
    other = {"id": "GHSA-1", "aliases": ["CVE-2026-0001"], "affected": [wider]}
    assert advisories.by_name("flask", [ADVISORY, other]) == {"CVE-2026-0001": sorted([["0", ""], *RANGES])}


def test_versions_are_listed_where_there_is_no_range() -> None:
    affected = {"package": {"name": "flask", "ecosystem": "PyPI"}, "versions": ["1.0", "1.1"]}
    found = advisories.by_name("flask", [{"id": "MAL-2026-1", "affected": [affected]}])
    assert found == {"MAL-2026-1": [["1.0", "<=1.0"], ["1.1", "<=1.1"]]}


def test_the_database_has_a_line_for_each_package_of_the_services(
    osv: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Osv, "answers", {(name, ""): {"vulns": [ADVISORY]} for name in advisories.packages()})
    assert advisories.main(osv, tmp_path / "database.json") == 0
    written = (tmp_path / "database.json").read_text("utf-8")
    database = json.loads(written)
    assert list(database["packages"]) == advisories.packages()
    assert database["packages"]["flask"] == {"CVE-2026-0001": RANGES}
    assert f'  "flask": {json.dumps(database["packages"]["flask"])},' in written.splitlines()


def test_nothing_is_written_when_a_package_could_not_be_fetched(
    osv: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Osv, "answers", {("bandit", ""): {}})
    with pytest.raises(HTTPError, match="500"):
        advisories.main(osv, tmp_path / "database.json")
    assert not (tmp_path / "database.json").exists()


def test_the_database_covers_every_package_that_is_pinned() -> None:
    """Otherwise the audit stops each build: make advisories."""
    assert set(advisories.packages()) <= set(json.loads(ADVISORIES.read_text("utf-8"))["packages"])
