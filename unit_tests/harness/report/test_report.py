"""The release report: it shows the evidence, and text from a commit never becomes markup."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from harness.prober import Answer, Figures
from harness.report.chart import TrafficPlot, draw
from harness.report.evidence import (
    Event,
    Evidence,
    ProbeSpan,
    ReleaseEvidence,
    Step,
    by_second,
    steps_of,
    write,
)
from harness.report.page import render
from harness.report.recorder import ALARM_CHANGE
from integration_tests.support.browser import PageView, open_page
from operations.status.four_keys import DEFINITION, FourKeys

BEGAN = 1_700_000_000.0
OLD, NEW = "a" * 40, "b" * 40


def answers(*given: tuple[float, str]) -> list[Answer]:
    """Return answers by moment and version; a version of "" means a failure."""
    return [Answer(at, 10.0, False, 200, version, "" if version else "status 502") for at, version in given]


def figures(seen: list[Answer]) -> Figures:
    failed = sum(bool(answer.error) for answer in seen)
    return Figures(len(seen), failed, 120.0, 9.0, 44.0, {OLD: 1, NEW: 1}, {200: 2})


def traffic(began: float, *given: tuple[float, str]) -> ProbeSpan:
    seen = answers(*given)
    return ProbeSpan("http://here", began, "probes-1.jsonl", figures(seen), by_second(seen, began), {})


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
    evidence = Evidence("local_aws", "it1", 0.02, BEGAN)
    evidence.releases.append(release)
    evidence.traffic = [traffic(BEGAN, (0.1, OLD), (0.2, OLD), (1.1, "")), traffic(BEGAN + 6, (0.5, NEW))]
    evidence.ended, evidence.passed, evidence.verdict = BEGAN + 9, True, "it succeeded"
    return evidence


def plot_of(evidence: Evidence) -> TrafficPlot:
    plot = draw(evidence, evidence.releases[0], {OLD: "v0", NEW: "v1"}).plot
    assert plot is not None
    return plot


class Page(HTMLParser):
    """What a browser would load, run and show."""

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


def test_answers_are_summarized_by_second_and_empty_seconds_are_kept() -> None:
    seconds = by_second(answers((0.1, OLD), (0.9, NEW), (0.95, ""), (3.0, NEW)), BEGAN)
    assert [second.at - BEGAN for second in seconds] == [0, 1, 2, 3]
    assert seconds[0].versions == {OLD: 1, NEW: 1}
    assert [second.failed for second in seconds] == [1, 0, 0, 0]
    assert seconds[1].versions == {}


def test_a_pending_event_is_no_step_and_a_running_action_has_no_end() -> None:
    now = datetime.fromtimestamp(BEGAN, UTC)
    action: dict[str, Any] = {"stageName": "Deploy", "actionName": "Approve-prod", "status": "InProgress"}
    action |= {"startTime": now, "lastUpdateTime": now + timedelta(seconds=5)}
    events = [{"lifecycleEventName": "Install", "status": "Pending"}]
    (step,) = steps_of([action], events)
    assert (step.name, step.ended) == ("Deploy: Approve-prod", None)


def test_the_page_shows_the_result_and_the_failures(evidence: Evidence) -> None:
    text = Page(render(evidence)).text
    assert "Passed. it succeeded" in text
    assert "4 sent, 1 failed" in text
    failed = Page(render(replace(evidence, passed=False))).text
    assert "FAILED. it succeeded" in failed


def test_the_page_loads_nothing_and_runs_no_script(evidence: Evidence) -> None:
    page = Page(render(evidence))
    assert page.loads == []
    assert "script" not in page.tags


def test_text_from_a_commit_or_a_log_stays_text(evidence: Evidence) -> None:
    markup = "<script>alert(1)</script>"
    evidence.releases[0] = replace(evidence.releases[0], reason=markup)
    evidence.notifications.append(Event(BEGAN + 4, markup, markup))
    page = Page(render(evidence))
    assert "script" not in page.tags
    assert page.text.count(markup) >= 3


def test_a_release_that_passed_by_break_glass_says_so(evidence: Evidence) -> None:
    assert "Break-glass" not in Page(render(evidence)).text
    evidence.releases[0] = replace(evidence.releases[0], break_glass="the hook is broken <b>")
    assert "Break-glass: the hook is broken <b>" in Page(render(evidence)).text


def test_time_runs_to_the_right_and_unended_steps_reach_the_end(evidence: Evidence) -> None:
    chart = draw(evidence, evidence.releases[0], {OLD: "v0", NEW: "v1"})
    source, deploy, shift = (row.bar for row in chart.rows)
    assert source.x < deploy.x < shift.x
    assert deploy.x + deploy.width > shift.x + shift.width
    assert "not ended" in deploy.tooltip


def test_the_height_of_a_bar_is_its_number_of_requests(evidence: Evidence) -> None:
    plot = plot_of(evidence)
    old, new = plot.bars
    assert (old.style, new.style) == ("v0", "v1")
    assert old.height == 2 * new.height
    assert old.x < new.x
    (failure,) = plot.failures
    assert old.x < failure.x < new.x


def test_no_latency_is_drawn_without_requests(evidence: Evidence) -> None:
    assert [len(line.split()) for line in plot_of(evidence).p95] == [2, 1]


def test_a_run_of_hours_stays_a_small_page(evidence: Evidence) -> None:
    evidence.ended = BEGAN + 7200
    evidence.traffic = [traffic(BEGAN, *((second + 0.5, NEW) for second in range(7200)))]
    evidence.releases[0] = replace(
        evidence.releases[0], steps=(Step("action", "Build", "Failed", BEGAN, BEGAN + 7200),)
    )
    assert len(plot_of(evidence).bars) <= 240


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
def test_only_changes_from_or_to_alarm_are_shown(summary: str, news: bool) -> None:
    assert bool(ALARM_CHANGE.search(summary)) is news


def test_a_browser_shows_what_the_json_says(evidence: Evidence, tmp_path: Path) -> None:
    """In Chromium, in a wide window and on a phone."""
    evidence.alarms.append(Event(BEGAN + 4, "errors-blue-it1", "Alarm updated from OK to ALARM"))
    evidence.notifications.append(Event(BEGAN + 5, "notification", "Deployment d-1 ended with STOP"))
    page = write(tmp_path, evidence, render(evidence))
    report = json.loads((tmp_path / "report.json").read_text())
    for view in open_page(page.as_uri(), tmp_path):
        assert view.requests == (page.as_uri(),), "it fetched something else"
        assert_accessible(view)
        assert report["verdict"] in view.text
        assert_release_shown(view, report["releases"])
        assert_traffic_shown(view, report["traffic"])
        for event in (*report["alarms"], *report["notifications"]):
            assert event["text"] in view.text
        assert Path(view.screenshot).stat().st_size > 10_000, "an empty page is smaller"


def assert_accessible(view: PageView) -> None:
    """Assert that the page fits its window, and can be read aloud and used by keyboard."""
    assert view.errors == ()
    assert view.overflow == 0, f"at {view.width} it is {view.overflow} wider than the window"
    assert (view.language, view.unnamed) == ("en", 0)
    assert {"header", "main", "status"} <= set(view.landmarks)
    assert "summary The steps as a table" in view.focused


def assert_release_shown(view: PageView, releases: list[dict[str, Any]]) -> None:
    """Assert that the page shows the only release with each of its steps."""
    (release,) = releases
    assert f"commit {release['commit'][:7]}, {release['status']}" in view.text
    for step in release["steps"]:
        assert f"{step['kind']} {step['name']}" in view.text
        assert any(step["name"] in tooltip and step["status"] in tooltip for tooltip in view.tooltips)


def assert_traffic_shown(view: PageView, spans: list[dict[str, Any]]) -> None:
    """Assert that the page shows the totals, and each version's requests in each second."""
    requests, failed = (sum(span["figures"][name] for span in spans) for name in ("requests", "failures"))
    assert f"{requests} sent, {failed} failed" in view.text
    for span in spans:
        for second in span["seconds"]:
            for version, count in second["versions"].items():
                assert any(f"{version[:7]} {count}/s" in tooltip for tooltip in view.tooltips)


def test_the_report_names_what_was_passed_through_unchecked(evidence: Evidence) -> None:
    assert "Passed through" not in render(evidence)
    evidence.passed_through = ["s3:PutObject", "sns:Publish"]
    assert "s3:PutObject, sns:Publish" in render(evidence)


def test_the_four_keys_are_in_the_page_and_the_json_with_their_definition(
    evidence: Evidence, tmp_path: Path
) -> None:
    assert "four keys" not in Page(render(evidence)).text
    evidence.four_keys = FourKeys(30, 3, 4, 2, lead_time=900.0, time_to_restore=None)
    page = write(tmp_path, evidence, render(evidence))
    text = Page(page.read_text()).text
    assert "last 30 days: 3 releases, 15 min from a commit to all traffic, 2 of 4 changes failed" in text
    assert DEFINITION in text
    written = json.loads((tmp_path / "report.json").read_text())["four_keys"]
    assert (written["changes"], written["lead_time"], written["time_to_restore"]) == (4, 900, None)
