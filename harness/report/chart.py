"""The chart of one release: positions in an SVG, on one time axis."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from harness.report.evidence import Event, Evidence, ReleaseEvidence, Second, Step

WIDTH = 960.0
LEFT = 190.0
RIGHT = 20.0
TOP = 30.0
ROW = 22.0
PLOT = 120.0
GAP = 30.0
LATENCY_GAP = 40.0
# A run on AWS takes hours: seconds are grouped, so that the page stays small.
COLUMNS = 240
MARGIN_SECONDS = 3.0


@dataclass(frozen=True)
class Bar:
    """A rectangle with a tooltip, which a screen reader reads."""

    x: float
    y: float
    width: float
    height: float
    style: str
    tooltip: str


@dataclass(frozen=True)
class Row:
    """One step: its name on the left, its bar on the axis."""

    y: float
    name: str
    status: str
    bar: Bar


@dataclass(frozen=True)
class Mark:
    """A moment, as a vertical line through the chart."""

    x: float
    style: str
    tooltip: str


@dataclass(frozen=True)
class TrafficPlot:
    """Requests by version, failures and latency; the latter are SVG points, one line per span of probing."""

    bars: tuple[Bar, ...]
    failures: tuple[Bar, ...]
    p50: tuple[str, ...]
    p95: tuple[str, ...]
    most_requests: float
    most_ms: float
    top: float
    latency_top: float

    @property
    def bottom(self) -> float:
        """The y of the last axis."""
        return self.latency_top + PLOT


@dataclass(frozen=True)
class Chart:
    """The drawing of one release; `ticks` are x and seconds since `began`. `plot` is None without traffic."""

    release: ReleaseEvidence
    began: float
    rows: tuple[Row, ...]
    plot: TrafficPlot | None
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, int], ...]
    height: float
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Column:
    """A group of seconds: rates are per second."""

    at: float
    seconds: float
    rates: dict[str, float]
    failed: int
    p50: float
    p95: float


class Axis:
    """The time axis: converts moments to x."""

    def __init__(self, began: float, ended: float) -> None:
        self.began, self.ended = began, max(ended, began + 1.0)

    def x(self, at: float) -> float:
        """Return the x of a moment."""
        share = (at - self.began) / (self.ended - self.began)
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT), 1)

    def ticks(self) -> tuple[tuple[float, int], ...]:
        """Return about six round numbers of seconds with their x."""
        span = self.ended - self.began
        steps = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
        step = next((one for one in steps if span / one <= 9), 7200)
        return tuple((self.x(self.began + number), number) for number in range(0, int(span) + 1, step))

    def covers(self, at: float) -> bool:
        """Return whether a moment is on the axis."""
        return self.began <= at <= self.ended


def draw(evidence: Evidence, release: ReleaseEvidence, styles: Mapping[str, str]) -> Chart:
    """Draw one release with the traffic, the alarms and the notifications of its time.

    `styles` has the style of each version, in the order in which they appeared.
    """
    axis = _axis(evidence, release)
    rows = tuple(_row(axis, number, step, evidence.ended) for number, step in enumerate(release.steps))
    rows_end = TOP + ROW * len(rows)
    plot = _plot(axis, _spans(evidence, axis), rows_end + GAP, styles)
    alarms = tuple(event for event in evidence.alarms if axis.covers(event.at))
    notifications = tuple(event for event in evidence.notifications if axis.covers(event.at))
    return Chart(
        release=release,
        began=axis.began,
        rows=rows,
        plot=plot,
        marks=_marks(axis, "alarm", alarms) + _marks(axis, "notification", notifications),
        ticks=axis.ticks(),
        height=(plot.bottom if plot else rows_end) + GAP,
        events=alarms + notifications,
    )


def columns(seconds: Sequence[Second], most: int = COLUMNS) -> tuple[Column, ...]:
    """Group seconds into at most `most` columns; a column has the worst latency of its seconds."""
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


def _axis(evidence: Evidence, release: ReleaseEvidence) -> Axis:
    began = min((step.began for step in release.steps), default=evidence.began)
    ended = max((step.ended or evidence.ended for step in release.steps), default=evidence.ended)
    return Axis(began - MARGIN_SECONDS, ended + MARGIN_SECONDS)


def _spans(evidence: Evidence, axis: Axis) -> list[tuple[Column, ...]]:
    """Return the columns of each span of probing that the axis shows."""
    spans = (
        [second for second in span.seconds if axis.began <= second.at < axis.ended]
        for span in evidence.traffic
    )
    return [columns(seconds) for seconds in spans if seconds]


def _plot(
    axis: Axis, spans: list[tuple[Column, ...]], top: float, styles: Mapping[str, str]
) -> TrafficPlot | None:
    grouped = [column for span in spans for column in span]
    if not grouped:
        return None
    latency_top = top + PLOT + LATENCY_GAP
    most_requests = max(sum(column.rates.values()) for column in grouped) or 1.0
    most_ms = max(column.p95 for column in grouped) or 1.0
    return TrafficPlot(
        bars=_bars(axis, grouped, most_requests, top, styles),
        failures=_failures(axis, grouped, top),
        p50=_lines(axis, spans, lambda column: column.p50, most_ms, latency_top),
        p95=_lines(axis, spans, lambda column: column.p95, most_ms, latency_top),
        most_requests=most_requests,
        most_ms=most_ms,
        top=top,
        latency_top=latency_top,
    )


def _marks(axis: Axis, style: str, events: Sequence[Event]) -> tuple[Mark, ...]:
    return tuple(Mark(axis.x(event.at), style, f"{event.name}: {event.text}") for event in events)


def _row(axis: Axis, number: int, step: Step, now: float) -> Row:
    y = TOP + ROW * number
    began, ended = axis.x(step.began), axis.x(step.ended or now)
    took = f"{step.ended - step.began:.1f} s" if step.ended else "not ended"
    tooltip = f"{step.kind} {step.name}: {step.status}, {took}"
    bar = Bar(began, y, max(ended - began, 2.0), ROW - 6.0, step.status.lower(), tooltip)
    return Row(y + ROW / 2, step.name, step.status, bar)


def _bars(
    axis: Axis, grouped: Sequence[Column], most: float, top: float, styles: Mapping[str, str]
) -> tuple[Bar, ...]:
    return tuple(bar for column in grouped for bar in _stack(axis, column, most, top, styles))


def _stack(axis: Axis, column: Column, most: float, top: float, styles: Mapping[str, str]) -> list[Bar]:
    left, right = axis.x(column.at), axis.x(column.at + column.seconds)
    bars, y = [], top + PLOT
    for version in (name for name in styles if name in column.rates):
        height = round(PLOT * column.rates[version] / most, 1)
        y -= height
        tooltip = f"{column.at - axis.began:.0f} s: {version[:7]} {column.rates[version]:.0f}/s"
        bars.append(Bar(left, round(y, 1), max(right - left, 0.5), height, styles[version], tooltip))
    return bars


def _failures(axis: Axis, grouped: Sequence[Column], top: float) -> tuple[Bar, ...]:
    return tuple(_failure(axis, column, top) for column in grouped if column.failed)


def _failure(axis: Axis, column: Column, top: float) -> Bar:
    left, right = axis.x(column.at), axis.x(column.at + column.seconds)
    tooltip = f"{column.at - axis.began:.0f} s: {column.failed} failed"
    return Bar(left, top - 8.0, max(right - left, 3.0), PLOT + 8.0, "failure", tooltip)


def _lines(
    axis: Axis, spans: Sequence[Sequence[Column]], latency: Callable[[Column], float], most: float, top: float
) -> tuple[str, ...]:
    return tuple(
        " ".join(_point(axis, column.at, latency(column), most, top) for column in span) for span in spans
    )


def _point(axis: Axis, at: float, ms: float, most: float, top: float) -> str:
    """Return a latency as an SVG point, in the middle of its second."""
    return f"{axis.x(at + 0.5)},{top + PLOT * (1 - ms / most):.1f}"
