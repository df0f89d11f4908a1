"""The release report: what the page says is what was seen, and nothing of a commit can change the page."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from harness.prober import Answer, Figures
from harness.report.chart import draw
from harness.report.evidence import (
    Event,
    Evidence,
    ReleaseEvidence,
    Step,
    Traffic,
    by_second,
    steps_of,
    write,
)
from harness.report.page import render
from harness.report.recorder import ON_OR_OFF
from integration_tests.support.browser import open_page

BEGAN = 1_700_000_000.0
OLD, NEW = "a" * 40, "b" * 40


def answers(*given: tuple[float, str]) -> list[Answer]:
    """Answers at a moment by a version; of version "" they failed."""
    return [Answer(at, 10.0, False, 200, version, "" if version else "status 502") for at, version in given]


def figures(seen: list[Answer]) -> Figures:
    failed = sum(bool(answer.error) for answer in seen)
    return Figures(len(seen), failed, 120.0, 9.0, 44.0, {OLD: 1, NEW: 1}, {200: 2})


def traffic(began: float, *given: tuple[float, str]) -> Traffic:
    seen = answers(*given)
    return Traffic("http://here", began, "probes-1.jsonl", figures(seen), by_second(seen, began), {})


@pytest.fixture
def evidence() -> Evidence:
    """One release of eight seconds, probed in two spans with a gap between them."""
    release = ReleaseEvidence(
        NEW,
        "execution",
        "Succeeded",
        "d-1",
        "",
        (
            Step("action", "Source", "Succeeded", BEGAN, BEGAN + 2),
            Step("action", "Deploy", "InProgress", BEGAN + 2, None),
            Step("lifecycle event", "AllowTraffic", "Succeeded", BEGAN + 3, BEGAN + 8),
        ),
    )
    told = Evidence("local_aws", "it1", 0.02, BEGAN)
    told.releases.append(release)
    told.traffic = [traffic(BEGAN, (0.1, OLD), (0.2, OLD), (1.1, "")), traffic(BEGAN + 6, (0.5, NEW))]
    told.ended, told.passed, told.verdict = BEGAN + 9, True, "all went well"
    return told


class Page(HTMLParser):
    """What a browser would load, run, and show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "style")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_answers_are_summed_up_second_by_second_and_silence_is_kept() -> None:
    seconds = by_second(answers((0.1, OLD), (0.9, NEW), (0.95, ""), (3.0, NEW)), BEGAN)
    assert [second.at - BEGAN for second in seconds] == [0, 1, 2, 3]
    assert seconds[0].versions == {OLD: 1, NEW: 1}
    assert [second.failed for second in seconds] == [1, 0, 0, 0]
    assert seconds[1].versions == {}


def test_what_has_not_begun_is_no_step_and_what_goes_on_has_no_end() -> None:
    now = datetime.fromtimestamp(BEGAN, UTC)
    action: dict[str, Any] = {"stageName": "Deploy", "actionName": "Approve-prod", "status": "InProgress"}
    action |= {"startTime": now, "lastUpdateTime": now + timedelta(seconds=5)}
    events = [{"lifecycleEventName": "Install", "status": "Pending"}]
    (step,) = steps_of([action], events)
    assert (step.name, step.ended) == ("Deploy: Approve-prod", None)


def test_the_page_says_how_it_came_out_and_how_many_failed(evidence: Evidence) -> None:
    text = Page(render(evidence)).text
    assert "Passed. all went well" in text
    assert "4 asked, 1 failed" in text
    failed = Page(render(replace(evidence, passed=False))).text
    assert "FAILED. all went well" in failed


def test_the_page_needs_nothing_else_and_runs_nothing(evidence: Evidence) -> None:
    page = Page(render(evidence))
    assert page.loads == []
    assert "script" not in page.tags


def test_what_a_commit_or_a_log_says_stays_text(evidence: Evidence) -> None:
    evil = "<script>alert(1)</script>"
    evidence.releases[0] = replace(evidence.releases[0], reason=evil)
    evidence.notifications.append(Event(BEGAN + 4, evil, evil))
    page = Page(render(evidence))
    assert "script" not in page.tags
    assert page.text.count(evil) >= 3


def test_time_runs_to_the_right_and_unended_steps_reach_the_end(evidence: Evidence) -> None:
    chart = draw(evidence, evidence.releases[0], {OLD: "v0", NEW: "v1"})
    source, deploy, shift = (row.bar for row in chart.rows)
    assert source.x < deploy.x < shift.x
    assert deploy.x + deploy.width > shift.x + shift.width
    assert "not ended" in deploy.words


def test_bars_are_as_high_as_the_requests_were_many(evidence: Evidence) -> None:
    chart = draw(evidence, evidence.releases[0], {OLD: "v0", NEW: "v1"})
    old, new = chart.traffic
    assert (old.look, new.look) == ("v0", "v1")
    assert old.height == 2 * new.height
    assert old.x < new.x
    (failure,) = chart.failures
    assert old.x < failure.x < new.x


def test_no_line_is_drawn_where_nobody_asked(evidence: Evidence) -> None:
    chart = draw(evidence, evidence.releases[0], {OLD: "v0", NEW: "v1"})
    assert [len(line.split()) for line in chart.p95] == [2, 1]


def test_a_run_of_hours_stays_a_small_page(evidence: Evidence) -> None:
    evidence.ended = BEGAN + 7200
    evidence.traffic = [traffic(BEGAN, *((second + 0.5, NEW) for second in range(7200)))]
    evidence.releases[0] = replace(
        evidence.releases[0], steps=(Step("action", "Build", "Failed", BEGAN, BEGAN + 7200),)
    )
    assert len(draw(evidence, evidence.releases[0], {NEW: "v1"}).traffic) <= 240


def test_the_json_beside_the_page_has_the_same_evidence(evidence: Evidence, tmp_path: Path) -> None:
    page = write(tmp_path / "run", evidence, render(evidence))
    written = json.loads(page.with_suffix(".json").read_text())
    assert written["releases"][0]["steps"][0]["name"] == "Source"
    assert written["traffic"][0]["seconds"][1]["failed"] == 1


@pytest.mark.parametrize(
    ("summary", "news"),
    [
        ("Alarm updated from INSUFFICIENT_DATA to OK", False),
        ("Alarm updated from OK to ALARM", True),
        ("Alarm updated from ALARM to OK", True),
    ],
)
def test_only_an_alarm_that_goes_on_or_off_is_told(summary: str, news: bool) -> None:
    assert bool(ON_OR_OFF.search(summary)) is news


def test_a_browser_shows_what_the_json_says(evidence: Evidence, tmp_path: Path) -> None:
    """Opened as a person does, in Chromium: wide and on a phone, by mouse, by keyboard, read aloud."""
    evidence.alarms.append(Event(BEGAN + 4, "errors-blue-it1", "Alarm updated from OK to ALARM"))
    evidence.notifications.append(Event(BEGAN + 5, "notification", "Deployment d-1 ended with STOP"))
    page = write(tmp_path, evidence, render(evidence))
    told = json.loads((tmp_path / "report.json").read_text())
    for seen in open_page(page.as_uri(), tmp_path):
        assert seen.errors == ()
        assert seen.requests == (page.as_uri(),), "it fetched something else"
        assert seen.overflow == 0, f"at {seen.width} it is {seen.overflow} wider than the window"
        assert (seen.language, seen.unnamed) == ("en", 0)
        assert {"header", "main", "status"} <= set(seen.landmarks)
        assert "summary The steps as a table" in seen.focused
        assert told["verdict"] in seen.text
        (release,) = told["releases"]
        assert f"commit {release['commit'][:7]}, {release['status']}" in seen.text
        for step in release["steps"]:
            assert f"{step['kind']} {step['name']}" in seen.text
            assert any(step["name"] in tip and step["status"] in tip for tip in seen.tooltips)
        for one in (*told["alarms"], *told["notifications"]):
            assert one["text"] in seen.text
        spans = [span["figures"] for span in told["traffic"]]
        asked, failed = (sum(span[name] for span in spans) for name in ("requests", "failures"))
        assert f"{asked} asked, {failed} failed" in seen.text
        for second in (second for span in told["traffic"] for second in span["seconds"]):
            for version, count in second["versions"].items():
                assert any(f"{version[:7]} {count}/s" in tip for tip in seen.tooltips)
        assert Path(seen.screenshot).stat().st_size > 10_000, "a page of nothing is smaller"
