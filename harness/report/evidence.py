"""What a run leaves as evidence: plain data, the JSON of the report. Moments are seconds since the epoch."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.prober import Answer, Figures, percentile


@dataclass(frozen=True)
class Step:
    """A stage, an action or a lifecycle event; `ended` is None of one that never did."""

    kind: str
    name: str
    status: str
    began: float
    ended: float | None


@dataclass(frozen=True)
class ReleaseEvidence:
    """One commit's way down the pipeline."""

    commit: str
    execution: str
    status: str
    deployment: str | None
    reason: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Second:
    """What was answered in one second: `at` is when it began, times are milliseconds."""

    at: float
    versions: dict[str, int]
    failed: int
    p50: float
    p95: float


@dataclass(frozen=True)
class Traffic:
    """One span of probing; `log` is the file with every answer."""

    url: str
    began: float
    log: str
    figures: Figures
    seconds: tuple[Second, ...]
    errors: dict[str, int]


@dataclass(frozen=True)
class Event:
    """Something that was told: an alarm that changed, a notification that arrived."""

    at: float
    name: str
    text: str


@dataclass
class Evidence:
    """One run in one environment. `verdict` says how it came out; `passed` is None while it goes on."""

    cloud: str
    suffix: str
    time_scale: float
    began: float
    releases: list[ReleaseEvidence] = field(default_factory=list)
    traffic: list[Traffic] = field(default_factory=list)
    alarms: list[Event] = field(default_factory=list)
    notifications: list[Event] = field(default_factory=list)
    ended: float = 0.0
    passed: bool | None = None
    verdict: str = ""

    def to_json(self) -> str:
        """Write it down."""
        return json.dumps(asdict(self), indent=2)


def by_second(answers: Iterable[Answer], began: float) -> tuple[Second, ...]:
    """Sum up answers, of a prober that began at `began`, second by second; silent seconds are there too."""
    buckets: dict[int, list[Answer]] = defaultdict(list)
    for answer in answers:
        buckets[int(answer.at)].append(answer)
    last = max(buckets, default=-1)
    return tuple(_second(began + number, buckets[number]) for number in range(last + 1))


def _second(at: float, answers: list[Answer]) -> Second:
    good = [answer for answer in answers if not answer.error]
    times = sorted(answer.ms for answer in answers)
    versions = dict(Counter(answer.version for answer in good))
    return Second(at, versions, len(answers) - len(good), percentile(times, 0.50), percentile(times, 0.95))


def steps_of(actions: Iterable[dict[str, Any]], events: Iterable[dict[str, Any]]) -> tuple[Step, ...]:
    """Make steps of CodePipeline's action executions and of CodeDeploy's lifecycle events, the first first.

    An action stands under its stage's name; what never started is no step.
    """
    steps = [
        Step(
            "action",
            action["stageName"]
            if action["stageName"] == action["actionName"]
            else f"{action['stageName']}: {action['actionName']}",
            action["status"],
            action["startTime"].timestamp(),
            None if action["status"] == "InProgress" else action["lastUpdateTime"].timestamp(),
        )
        for action in actions
    ]
    steps += [
        Step(
            "lifecycle event",
            event["lifecycleEventName"],
            event["status"],
            event["startTime"].timestamp(),
            event["endTime"].timestamp() if "endTime" in event else None,
        )
        for event in events
        if "startTime" in event
    ]
    return tuple(sorted(steps, key=lambda step: (step.kind, step.began)))


def write(folder: Path, evidence: Evidence, page: str) -> Path:
    """Write the report and its JSON into `folder`; return the report."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(evidence.to_json())
    (folder / "report.html").write_text(page)
    return folder / "report.html"
