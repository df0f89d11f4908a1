"""Where things stand on the page: numbers for the SVG of one release, all on one axis of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from harness.report.evidence import Event, Evidence, ReleaseEvidence, Second, Step

WIDTH = 960.0
LEFT = 190.0
RIGHT = 20.0
ROW = 22.0
PLOT = 120.0
# A run on AWS takes hours: seconds are put together, so that a page stays small.
COLUMNS = 240
MARGIN_SECONDS = 3.0


@dataclass(frozen=True)
class Bar:
    """A rectangle with its words, which a screen reader reads and a pointer shows."""

    x: float
    y: float
    width: float
    height: float
    look: str
    words: str


@dataclass(frozen=True)
class Row:
    """One step: its name at the left, its bar on the axis."""

    y: float
    name: str
    status: str
    bar: Bar


@dataclass(frozen=True)
class Mark:
    """A moment, as a line through the whole chart."""

    x: float
    look: str
    words: str


@dataclass(frozen=True)
class Chart:
    """One release drawn; `ticks` are x and seconds after `began`; lines are SVG points.

    A line for each span of probing: where nobody asked, nothing is drawn.
    """

    release: ReleaseEvidence
    began: float
    rows: tuple[Row, ...]
    traffic: tuple[Bar, ...]
    failures: tuple[Bar, ...]
    p50: tuple[str, ...]
    p95: tuple[str, ...]
    most_requests: float
    most_ms: float
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, int], ...]
    traffic_top: float
    latency_top: float
    height: float
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Column:
    """Seconds put together: rates are per second."""

    at: float
    seconds: float
    rates: dict[str, float]
    failed: int
    p50: float
    p95: float


class Axis:
    """Moments to x."""

    def __init__(self, began: float, ended: float) -> None:
        self.began, self.ended = began, max(ended, began + 1.0)

    def x(self, at: float) -> float:
        """Return where a moment stands."""
        share = (at - self.began) / (self.ended - self.began)
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT), 1)

    def ticks(self) -> tuple[tuple[float, int], ...]:
        """Return some six round numbers of seconds, and where they stand."""
        span = self.ended - self.began
        steps = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
        step = next((one for one in steps if span / one <= 9), 7200)
        return tuple((self.x(self.began + number), number) for number in range(0, int(span) + 1, step))


def columns(seconds: Sequence[Second], most: int = COLUMNS) -> tuple[Column, ...]:
    """Put seconds together so that at most `most` columns are left; the worst latency counts."""
    size = max(1, ceil(len(seconds) / most))
    groups = [seconds[start : start + size] for start in range(0, len(seconds), size)]
    return tuple(_column(group) for group in groups)


def _column(group: Sequence[Second]) -> Column:
    versions = {name for second in group for name in second.versions}
    return Column(
        group[0].at,
        float(len(group)),
        {name: sum(second.versions.get(name, 0) for second in group) / len(group) for name in versions},
        sum(second.failed for second in group),
        max(second.p50 for second in group),
        max(second.p95 for second in group),
    )


def draw(evidence: Evidence, release: ReleaseEvidence, looks: dict[str, str]) -> Chart:
    """Draw one release with the traffic, the alarms and the notifications of its time.

    `looks` names the style of each version.
    """
    steps = release.steps
    axis = Axis(
        min((step.began for step in steps), default=evidence.began) - MARGIN_SECONDS,
        max((step.ended or evidence.ended for step in steps), default=evidence.ended) + MARGIN_SECONDS,
    )
    during = [
        [second for second in span.seconds if axis.began <= second.at < axis.ended]
        for span in evidence.traffic
    ]
    spans = [columns(seconds) for seconds in during if seconds]
    grouped = [column for span in spans for column in span]
    traffic_top = 30.0 + ROW * len(steps) + 30.0
    latency_top = traffic_top + PLOT + 40.0
    most = max((sum(column.rates.values()) for column in grouped), default=0.0) or 1.0
    slowest = max((column.p95 for column in grouped), default=0.0) or 1.0
    events = tuple(
        one for one in evidence.alarms + evidence.notifications if axis.began <= one.at <= axis.ended
    )
    return Chart(
        release=release,
        began=axis.began,
        rows=tuple(_row(axis, number, step, evidence.ended) for number, step in enumerate(steps)),
        traffic=tuple(bar for column in grouped for bar in _stack(axis, column, most, traffic_top, looks)),
        failures=tuple(_failed(axis, column, traffic_top) for column in grouped if column.failed),
        p50=tuple(_line(axis, [(one.at, one.p50) for one in span], slowest, latency_top) for span in spans),
        p95=tuple(_line(axis, [(one.at, one.p95) for one in span], slowest, latency_top) for span in spans),
        most_requests=most,
        most_ms=slowest,
        marks=tuple(
            Mark(axis.x(one.at), "alarm" if one in evidence.alarms else "told", f"{one.name}: {one.text}")
            for one in events
        ),
        ticks=axis.ticks(),
        traffic_top=traffic_top,
        latency_top=latency_top,
        height=(latency_top + PLOT if grouped else traffic_top - 30.0) + 30.0,
        events=events,
    )


def _row(axis: Axis, number: int, step: Step, now: float) -> Row:
    y = 30.0 + ROW * number
    began, ended = axis.x(step.began), axis.x(step.ended or now)
    took = f"{step.ended - step.began:.1f} s" if step.ended else "not ended"
    words = f"{step.kind} {step.name}: {step.status}, {took}"
    bar = Bar(began, y, max(ended - began, 2.0), ROW - 6.0, step.status.lower(), words)
    return Row(y + ROW / 2, step.name, step.status, bar)


def _stack(axis: Axis, column: Column, most: float, top: float, looks: dict[str, str]) -> list[Bar]:
    left, right = axis.x(column.at), axis.x(column.at + column.seconds)
    bars, y = [], top + PLOT
    # Always in the order in which the versions came.
    for version in (name for name in looks if name in column.rates):
        height = round(PLOT * column.rates[version] / most, 1)
        y -= height
        words = f"{column.at - axis.began:.0f} s: {version[:7]} {column.rates[version]:.0f}/s"
        bars.append(Bar(left, round(y, 1), max(right - left, 0.5), height, looks[version], words))
    return bars


def _failed(axis: Axis, column: Column, top: float) -> Bar:
    left, right = axis.x(column.at), axis.x(column.at + column.seconds)
    words = f"{column.at - axis.began:.0f} s: {column.failed} failed"
    return Bar(left, top - 8.0, max(right - left, 3.0), PLOT + 8.0, "failure", words)


def _line(axis: Axis, points: Sequence[tuple[float, float]], most: float, top: float) -> str:
    return " ".join(f"{axis.x(at + 0.5)},{top + PLOT * (1 - ms / most):.1f}" for at, ms in points)
