"""What is reported during a scenario."""

import io

from rich.console import Console

from harness.progress import Progress
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


def test_a_second_release_is_reported_from_its_start() -> None:
    lines: list[str] = []
    progress = Progress(lines.append)
    progress.update(RELEASE)
    progress.update(Release(**{**vars(RELEASE), "execution": "2"}))
    assert len(lines) == 4


def test_the_screen_shows_stages_lifecycle_events_and_the_time_scale() -> None:
    screen = Screen()
    screen.progress.time_scale = 0.02
    events = (("Install", "Succeeded"), ("AllowTraffic", "InProgress"))
    screen.progress.update(Release(**{**vars(RELEASE), "deployment": "d-ABC", "events": events}))
    drawn = io.StringIO()
    Console(file=drawn, width=100).print(screen)
    for part in ("Build InProgress", "0.02", "d-ABC", "AllowTraffic", "aaaaaaa"):
        assert part in drawn.getvalue()
