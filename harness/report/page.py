"""The report as one HTML page: no script, no font, no image from elsewhere."""

from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from harness.report.chart import LEFT, PLOT, RIGHT, WIDTH, draw
from harness.report.evidence import Evidence

TEMPLATE = "report.html.jinja"
# As many styles as the page's style sheet has; a long run uses them again.
LOOKS = ("v0", "v1", "v2", "v3", "v4", "v5")


def render(evidence: Evidence) -> str:
    """Return the page. Whatever came from a commit or a log is escaped."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["clock"] = _clock
    looks = dict(zip(_versions(evidence), cycle(LOOKS), strict=False))
    return templates.get_template(TEMPLATE).render(
        evidence=evidence,
        charts=[draw(evidence, release, looks) for release in evidence.releases],
        looks=looks,
        asked=sum(span.figures.requests for span in evidence.traffic),
        failed=sum(span.figures.failures for span in evidence.traffic),
        width=WIDTH,
        left=LEFT,
        right=WIDTH - RIGHT,
        plot=PLOT,
    )


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _versions(evidence: Evidence) -> list[str]:
    """List the versions that answered, the first first."""
    return list(
        dict.fromkeys(
            version for span in evidence.traffic for second in span.seconds for version in second.versions
        )
    )
