"""Prints progress as lines; a terminal has a clock below them, with what is waited for."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.progress import Progress


@contextmanager
def progress_lines(time_scale: float = 1.0, console: Console | None = None) -> Iterator[Progress]:
    """Yield a progress that is printed while the context is open."""
    console = console or Console()
    progress = Progress(print, time_scale, has_clock=console.is_terminal)
    if not console.is_terminal:
        yield progress
        return

    def clock() -> Text:
        return Text(progress.clock(), style="dim", no_wrap=True, overflow="ellipsis")

    with Live(get_renderable=clock, console=console, refresh_per_second=2, transient=True):
        yield progress


@contextmanager
def working(what: str) -> Iterator[None]:
    """While the context is open, show a clock with what is waited for; without a terminal, say it once."""
    with progress_lines() as progress, progress.waiting(lambda: what):
        progress.step(what)
        yield
