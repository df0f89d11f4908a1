"""What is told of a scenario while it happens."""

import io

from rich.console import Console

from harness.progress import Progress
from harness.release import Release
from harness.screen import Screen

RELEASE = Release("a" * 40, "1", "InProgress", (("Source", "Succeeded"), ("Build", "InProgress")))


def test_only_what_changed_is_told() -> None:
    said: list[str] = []
    progress = Progress(said.append)
    progress.update(RELEASE)
    progress.update(RELEASE)
    assert len(said) == 2
    done = Release(**{**vars(RELEASE), "stages": (("Source", "Succeeded"), ("Build", "Succeeded"))})
    progress.update(done)
    assert said[2].endswith("stage Build: Succeeded")


def test_a_second_release_is_told_from_its_start() -> None:
    said: list[str] = []
    progress = Progress(said.append)
    progress.update(RELEASE)
    progress.update(Release(**{**vars(RELEASE), "execution": "2"}))
    assert len(said) == 4


def test_the_screen_shows_stages_lifecycle_events_and_the_clocks_factor() -> None:
    screen = Screen()
    screen.progress.time_scale = 0.02
    events = (("Install", "Succeeded"), ("AllowTraffic", "InProgress"))
    screen.progress.update(Release(**{**vars(RELEASE), "deployment": "d-ABC", "events": events}))
    drawn = io.StringIO()
    Console(file=drawn, width=100).print(screen)
    for part in ("Build InProgress", "0.02", "d-ABC", "AllowTraffic", "aaaaaaa"):
        assert part in drawn.getvalue()
