"""What is reported during a scenario."""

import io
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from harness.prober import Answer, Prober
from harness.progress import Progress
from harness.progress_lines import progress_lines
from harness.release import Release
from harness.screen import Screen

RELEASE = Release("a" * 40, "1", "InProgress", (("Source", "Succeeded"), ("Build", "InProgress")))


def test_only_changes_are_reported() -> None:
    lines: list[str] = []
    progress = Progress(lines.append)
    progress.update(RELEASE)
    progress.update(RELEASE)
    assert len(lines) == 2
    done = Release(**{**vars(RELEASE), "stages": (("Source", "Succeeded"), ("Build", "Succeeded"))})
    progress.update(done)
    assert lines[2].endswith("stage Build: Succeeded")


def test_a_wait_is_told_again_after_some_seconds_without_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.progress.QUIET_SECONDS", 0.2)
    told = threading.Event()
    lines: list[str] = []

    def report(line: str) -> None:
        lines.append(line)
        told.set()

    progress = Progress(report)
    with progress.waiting(progress.running):
        assert told.wait(10)
        told.clear()
        progress.release = RELEASE
        assert told.wait(10)
    number = len(lines)
    assert lines[0].endswith("  still waiting for the pipeline")
    assert lines[-1].endswith("  still waiting for the pipeline: Build InProgress")
    told.clear()
    assert not told.wait(0.5), "it ends with the context"
    assert len(lines) == number


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_has_a_clock_with_what_is_waited_for_below_the_lines(
    is_terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.progress.QUIET_SECONDS", 0.1)
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=is_terminal, width=80)
    with progress_lines(console=console) as progress:
        progress.began -= 63
        with progress.waiting(lambda: "running cdk deploy"):
            progress.step("deploying")
            time.sleep(0.7)
    assert ("1:03  running cdk deploy" in drawn.getvalue()) is is_terminal
    assert ("still running cdk deploy" in capsys.readouterr().out) is not is_terminal
    assert progress.waited_for is None


def test_the_screen_has_the_clock_and_says_when_no_requests_are_sent() -> None:
    screen = Screen()
    drawn = io.StringIO()
    with screen.progress.waiting(lambda: "running cdk deploy"):
        Console(file=drawn, width=120).print(screen)
    assert "0:00  running cdk deploy" in drawn.getvalue()
    assert "No requests are sent now" in drawn.getvalue()


def test_a_second_release_is_reported_from_its_start() -> None:
    lines: list[str] = []
    progress = Progress(lines.append)
    progress.update(RELEASE)
    progress.update(Release(**{**vars(RELEASE), "execution": "2"}))
    assert len(lines) == 4


def test_changes_are_told_in_the_order_and_with_the_time_in_which_they_happened() -> None:
    """They are seen together, and later: a stage's end before that of the event that ended it."""
    lines: list[str] = []
    progress = Progress(lines.append, began=1000.0)
    moments = (("Deploy", 1031.0), ("Install", 1010.0), ("AfterAllowTestTraffic", 1030.5))
    events = (("Install", "Succeeded"), ("AfterAllowTestTraffic", "Failed"))
    progress.update(Release("a" * 40, "1", "Failed", (("Deploy", "Failed"),), events=events, moments=moments))
    assert lines == [
        "  10.0 s    lifecycle event Install: Succeeded",
        "  30.5 s    lifecycle event AfterAllowTestTraffic: Failed",
        "  31.0 s    stage Deploy: Failed",
    ]


def test_an_event_is_told_with_the_answers_before_it_not_with_those_of_when_it_is_seen(
    tmp_path: Path,
) -> None:
    """Traffic shifts right after the hook has succeeded, and the harness looks once a second."""
    prober = Prober("http://127.0.0.1:9/", tmp_path / "log")
    prober.began = 1000.0
    prober.answers = [
        Answer(at, 5.0, False, 200, version)
        for at, version in ((28.0, "old"), (29.9, "old"), (30.4, "old"), (30.499, "new"), (30.6, "new"))
    ]
    lines: list[str] = []
    progress = Progress(lines.append, began=1000.0, prober=prober)
    moments = (("AfterAllowTestTraffic", 1030.5),)
    events = (
        ("AfterAllowTestTraffic", "Succeeded"),
        ("AllowTraffic", "InProgress"),
        ("AfterAllowTraffic", "Pending"),
    )
    progress.update(Release("a" * 40, "1", "InProgress", events=events, moments=moments))
    assert lines[0] == (
        "  30.5 s    lifecycle event AfterAllowTestTraffic: Succeeded   "
        "(responses in the second before: old 2)"
    )
    assert lines[1].endswith("lifecycle event AllowTraffic: InProgress"), "it has no time yet"
    assert len(lines) == 2, "what has not begun is not told"


def test_the_screen_shows_stages_lifecycle_events_and_the_time_scale() -> None:
    screen = Screen()
    screen.progress.time_scale = 0.02
    events = (("Install", "Succeeded"), ("AllowTraffic", "InProgress"))
    screen.progress.update(Release(**{**vars(RELEASE), "deployment": "d-ABC", "events": events}))
    drawn = io.StringIO()
    Console(file=drawn, width=100).print(screen)
    for part in ("Build InProgress", "0.02", "d-ABC", "AllowTraffic", "aaaaaaa"):
        assert part in drawn.getvalue()
