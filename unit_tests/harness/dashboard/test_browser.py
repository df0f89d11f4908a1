"""The dashboard in Chromium, in a wide window and on a phone."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from harness.dashboard import server
from harness.dashboard.fleet import TEMPLATE
from harness.dashboard.poller import Poller
from integration_tests.support.browser import PageView, open_page
from unit_tests.harness.dashboard.page_states import (
    MARKUP,
    NEW,
    OLD,
    RecordedView,
    read_until_both_versions_answered,
    served,
    two_versions,
)

CONTRASTS = {
    **dict.fromkeys(("ink", "dim", "good", "bad", "busy", "link"), 4.5),
    **dict.fromkeys(("blue", "green", "other"), 3.0),
}


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> RecordedView:
    monkeypatch.setattr(server, "LOCAL_INTERVAL", 0.05)
    return RecordedView()


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("page", [server.PAGE, server.PAGE.with_name(TEMPLATE)], ids=["environment", "fleet"])
def test_every_colour_has_enough_contrast_on_every_background(page: Path, scheme: int) -> None:
    """WCAG 2.2, 1.4.3 and 1.4.11: a contrast of 4.5 at least for text, and of 3 for what is drawn."""
    declared = re.findall(r":root \{([^}]*)\}", page.read_text())[scheme]
    colours = dict(re.findall(r"--(\w+): #([0-9a-f]{6})", declared))
    for ground in ("paper", "card"):
        for name, least in CONTRASTS.items():
            if name not in colours:
                continue
            dark, light = sorted((luminance(colours[name]), luminance(colours[ground])))
            assert (light + 0.05) / (dark + 0.05) >= least, f"{name} on {ground}"


def luminance(colour: str) -> float:
    """Return the relative luminance, as WCAG defines it."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(share * weight for share, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_a_browser_shows_the_shift_as_text_and_reconnects_after_an_interruption(
    view: RecordedView, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a wide window and on a phone, by keyboard, and read aloud."""
    breaks, reading = iter([True]), Poller.reading

    def read(self: Poller) -> Any:
        if next(breaks, False):
            raise ConnectionResetError
        return reading(self)

    with two_versions() as view.url, served(view) as url:
        read_until_both_versions_answered(url)
        monkeypatch.setattr(Poller, "reading", read)
        views = open_page(url, tmp_path)
    for seen in views:
        assert set(seen.requests) == {url, f"{url}events"}, "it fetched something else"
        assert_accessible(seen, view.url)
        assert_shift_shown(seen, view.url)
        assert Path(seen.screenshot).stat().st_size > 10_000, "an empty page is smaller"
    # The second request of the first view is for the stream after the interruption.
    assert views[0].requests.count(f"{url}events") == 2


def assert_accessible(seen: PageView, service: str) -> None:
    """Assert that the page fits its window, and can be read aloud and used by keyboard."""
    assert seen.errors == ()
    assert seen.overflow == 0, f"at {seen.width} it is {seen.overflow} wider than the window"
    assert (seen.language, seen.unnamed) == ("en", 0)
    assert {"header", "main", "status"} <= set(seen.landmarks)
    assert ("h2 Pipeline", "h3 Source") in zip(seen.headings, seen.headings[1:], strict=False)
    assert seen.focused == (
        "a All environments",
        f"a {service}",
        "a Report of aaaaaaa",
        "a Report of ccccccc",
        "pre Last build",
        "pre Tasks, without access log",
    )
    assert len(set(seen.regions)) == len(seen.regions), "each region has a name of its own"


def assert_shift_shown(seen: PageView, service: str) -> None:
    """Assert that the page shows the release, both versions and the requests, and markup as text."""
    assert f"Service {service}. HTTP without TLS. AWS" in seen.text
    assert "Live" in seen.text
    assert f'Newest release bbbbbbb "{MARKUP}": Deploy InProgress, AllowTraffic' in seen.text
    assert seen.text.count(MARKUP) == 6, "release twice, action, deployment, two logs"
    for version in (OLD[:7], NEW[:7]):
        assert re.search(rf"{version} \d+ per second", seen.text)
    assert "failed 0 per second, 0 in total" in seen.text
    for words in ("90 %", "10 %", "2 of 2 tasks run", "d-1", "Phase complete: BUILD"):
        assert words in seen.text


def test_a_browser_shows_the_progress_of_a_stack_and_no_empty_sections(
    view: RecordedView, tmp_path: Path
) -> None:
    nested = [{"name": "Network", "status": "CREATE_COMPLETE"}]
    view.state = {"stack": {**view.state["stack"], "status": "CREATE_IN_PROGRESS", "nested": nested}}
    with served(view) as url:
        views = open_page(url, tmp_path)
    for seen in views:
        assert seen.errors == ()
        assert seen.overflow == 0
        assert "Service not deployed. AWS" in seen.text
        assert "stack-it1: CREATE_IN_PROGRESS" in seen.text
        assert "Network CREATE_COMPLETE" in seen.text
        assert "Pipeline" not in seen.text


def test_a_browser_shows_no_warning_for_https(view: RecordedView, tmp_path: Path) -> None:
    view.url = "https://127.0.0.1:9"
    with served(view) as url:
        views = open_page(url, tmp_path)
    for seen in views:
        assert f"Service {view.url}. AWS" in seen.text


def test_a_browser_shows_at_the_top_why_the_newest_release_failed(view: RecordedView, tmp_path: Path) -> None:
    """As text, before everything else; with the rollback, and who wrote the releases."""
    lines = ["it1: release bbbbbbb failed in Deploy", f"why: {MARKUP}", "do:  fix the code and push"]
    view.state["failure"] = {"lines": lines}
    back = {**view.state["pipeline"]["deployments"][0], "id": "d-2", "rollback_of": "d-1"}
    view.state["pipeline"]["deployments"].append(back)
    view.state["pipeline"]["releases"][0] |= {"author": "Jo", "written": 1_700_000_000.0}
    view.state["pipeline"]["releases"][2] |= {"author": "AWS CodeCommit", "seed": True}
    with served(view) as url:
        views = open_page(url, tmp_path)
    for seen in views:
        assert seen.errors == ()
        assert seen.overflow == 0
        assert f"{lines[0]} {lines[1]} do: fix the code and push" in " ".join(seen.text.split())
        assert seen.text.index(lines[0]) < seen.text.index("Blue and green")
        assert "Rollback of d-1 by d-2" in seen.text
        assert "Jo, 2023-11-14 22:13:20" in seen.text
        assert "The seed of the stack, AWS CodeCommit" in seen.text


def test_a_long_commit_message_is_shown_on_demand(view: RecordedView, tmp_path: Path) -> None:
    """Long messages would fill the page: a row has the subject, and the rest opens by mouse or keyboard."""
    with served(view) as url:
        short = open_page(url, tmp_path / "short")
    body = "\n".join(f"Line {number} of a long explanation of this change." for number in range(40))
    message = {"subject": "Explain a lot", "body": body}
    view.state["pipeline"]["releases"] = [
        {**release, **message} for release in view.state["pipeline"]["releases"]
    ]
    with served(view) as url:
        long = open_page(url, tmp_path)
    for before, seen in zip(short, long, strict=True):
        assert seen.errors == ()
        assert seen.overflow == 0
        assert seen.collapsed_height < before.collapsed_height + 100, "collapsed, a message takes one line"
        assert seen.focused.count("summary Explain a lot") == 3, "the Tab key reaches each message"
        assert seen.text.count("Line 39 of a long explanation") == 3, "opened, it is complete"
        assert 'Newest release bbbbbbb "Explain a lot": Deploy InProgress' in seen.text


def test_a_browser_shows_the_date_of_earlier_days(view: RecordedView, tmp_path: Path) -> None:
    now = int(time.time())
    view.state["pipeline"]["releases"][0] |= {"began": now, "changed": now}
    with served(view) as url:
        wide, narrow = open_page(url, tmp_path)
    assert "2023-11-14 22:13:20, 40 s" in wide.text
    assert time.strftime("%Y-%m-%d", time.gmtime(now)) not in wide.text
    assert narrow.text.count("2023-11-14") == 2, "the stages; the narrow table has no such column"


def test_a_browser_counts_the_seconds_of_what_runs(view: RecordedView, tmp_path: Path) -> None:
    """The first build stands still for a minute: the page says for how long it has run."""
    began = int(time.time()) - 63
    view.state["pipeline"]["releases"][0] |= {"began": began, "changed": began}
    view.state["pipeline"]["stages"][1]["actions"][0]["at"] = began
    with served(view) as url:
        wide, narrow = open_page(url, tmp_path)
    assert len(re.findall(r"\d\d:\d\d:\d\d, (?:6[3-9]|[789]\d) s so far", wide.text)) == 2, (
        "a stage and a release"
    )
    assert " s so far" in narrow.text


def test_a_browser_draws_each_reading_at_its_time(
    view: RecordedView, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On AWS a reading takes five seconds or more, and their distances vary."""
    readings = [{"at": at, "versions": {OLD: 20}, "failed": 0} for at in (1000.0, 1001.0, 1006.0, 1240.0)]

    def remember(self: Poller, _url: str) -> None:
        self._history.extend(readings[len(self._history) :])

    monkeypatch.setattr(Poller, "_probe", remember)
    with served(view) as url:
        for seen in open_page(url, tmp_path):
            assert seen.bars == ((-4.0, 3.0), (0.0, 3.0), (4.0, 19.0), (24.0, 935.0))
