"""The report as one HTML page, without scripts and external resources."""

from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

from harness.report.chart import LEFT, PLOT, RIGHT, WIDTH, draw
from harness.report.evidence import Evidence
from harness.report.pages import templates
from operations.status.four_keys import DEFINITION

TEMPLATE = "report.html.jinja"
# The version styles of the style sheet; they repeat in a run with more versions.
STYLES = ("v0", "v1", "v2", "v3", "v4", "v5")


def render(evidence: Evidence) -> str:
    """Return the page. Text from commits and logs is escaped."""
    found = templates(Path(__file__).parent)
    found.filters["clock"] = _clock
    styles = dict(zip(_versions(evidence), cycle(STYLES), strict=False))
    return found.get_template(TEMPLATE).render(
        evidence=evidence,
        charts=[draw(evidence, release, styles) for release in evidence.releases],
        styles=styles,
        requests=sum(span.figures.requests for span in evidence.traffic),
        failed=sum(span.figures.failures for span in evidence.traffic),
        unsent=sum(sum(span.unsent.values()) for span in evidence.traffic),
        width=WIDTH,
        left=LEFT,
        right=WIDTH - RIGHT,
        plot_height=PLOT,
        definition=DEFINITION,
    )


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _versions(evidence: Evidence) -> list[str]:
    """Return the versions that served requests, in order of appearance."""
    return list(
        dict.fromkeys(
            version for span in evidence.traffic for second in span.seconds for version in second.versions
        )
    )
