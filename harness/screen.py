"""The live view in a terminal: pipeline, traffic by version, lifecycle events, last lines."""

from collections import deque

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from harness.progress import Progress
from harness.release import STAGES

LINES = 8
BAR = 40
NO_REQUESTS = "No requests are sent now: they are sent and counted during the release of the pushed commit."
STYLES = {"Succeeded": "green", "InProgress": "yellow", "Failed": "red", "Pending": "dim"}


class Screen:
    """The live view of `progress`, which rich renders a few times a second."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=LINES)
        self.progress = Progress(self.lines.append, has_clock=True)

    def __rich__(self) -> RenderableType:
        """Render the current state."""
        log = Text("\n".join(self.lines), overflow="ellipsis", no_wrap=True)
        return Group(
            self._pipeline(),
            self._traffic(),
            self._events(),
            Panel(log, title=f"log, {self.progress.clock()}"),
        )

    def _pipeline(self) -> RenderableType:
        release = self.progress.release
        statuses = release.stage_statuses if release else {}
        table = Table.grid(padding=(0, 2))
        cells = []
        for name in STAGES:
            status = statuses.get(name, "-")
            cells.append(Text(f"{name} {status}", style=STYLES.get(status, "dim")))
        table.add_row(*cells)
        what = f"commit {release.commit[:7]}" if release else "no commit yet"
        scale = f"AWS's waits take {self.progress.time_scale:g} of their length"
        # Only the name fits; the log has the reason of the choice.
        engine = self.progress.containers.partition(" (")[0] or "AWS's"
        return Panel(table, title=f"{what}: pipeline, {scale}, containers: {engine}")

    def _traffic(self) -> RenderableType:
        prober = self.progress.prober
        if prober is None:
            return Panel(Text(NO_REQUESTS, style="dim"), title="traffic")
        rate, versions = prober.recent()
        total = sum(versions.values()) or 1
        rows = Table.grid(padding=(0, 1))
        for version, colour in ((self.progress.old, "blue"), (self.progress.new, "green")):
            if version:
                count = versions.get(version, 0)
                bar = "█" * round(BAR * count / total)
                rows.add_row(
                    version[:7], Text(f"{bar:<{BAR}}", style=colour), f"{100 * count / total:3.0f} %"
                )
        # The prober's lists only grow, so their lengths need no lock.
        failed, sent = len(prober.failures), len(prober.answers)
        figures = Text(f"{rate:.0f} requests/s, {sent} sent, {failed} failed", style="red" if failed else "")
        return Panel(Group(rows, figures), title=f"traffic at {self.progress.url}")

    def _events(self) -> RenderableType:
        release = self.progress.release
        table = Table.grid(padding=(0, 2))
        for name, status in release.events if release else ():
            table.add_row(Text(name), Text(status, style=STYLES.get(status, "dim")))
        deployment = release.deployment if release else None
        return Panel(table, title=f"deployment {deployment or '-'}: blue/green")
