"""The evidence of a run: plain data, written as the report's JSON. Moments are seconds since the epoch."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.prober import Answer, Figures, percentile
from operations.status.four_keys import FourKeys


@dataclass(frozen=True)
class Step:
    """An action or a lifecycle event; `ended` is None if it has not ended."""

    kind: str
    name: str
    status: str
    began: float
    ended: float | None


@dataclass(frozen=True)
class BuildStep:
    """A command of a build, or what else a phase did; `name` is empty for a phase without commands."""

    phase: str
    name: str
    seconds: float


@dataclass(frozen=True)
class BuildTimes:
    """One build, and where its seconds went."""

    action: str
    build: str
    began: float
    ended: float
    steps: tuple[BuildStep, ...]
    # When it began, after or during the build before it; empty for the first.
    order: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


@dataclass(frozen=True)
class ReleaseEvidence:
    """The release of one commit."""

    commit: str
    execution: str
    status: str
    deployment: str | None
    reason: str
    steps: tuple[Step, ...]
    # Who let it pass failed checks of the test-traffic hook, and why; empty if nobody did.
    break_glass: str = ""
    builds: tuple[BuildTimes, ...] = ()


@dataclass(frozen=True)
class Second:
    """The responses of one second, which began `at`; latencies are milliseconds."""

    at: float
    versions: dict[str, int]
    failed: int
    p50: float
    p95: float


@dataclass(frozen=True)
class ProbeSpan:
    """One span of probing; `log` is the file with every response."""

    url: str
    began: float
    log: str
    figures: Figures
    seconds: tuple[Second, ...]
    errors: dict[str, int]
    # Of requests that this machine's network did not send, which are not among the figures.
    unsent: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """An alarm that changed its state, or a notification that arrived."""

    at: float
    name: str
    text: str


@dataclass
class Evidence:
    """One run in one environment. `verdict` is its result in words; `passed` is None until it ends."""

    cloud: str
    suffix: str
    time_scale: float
    began: float
    releases: list[ReleaseEvidence] = field(default_factory=list)
    traffic: list[ProbeSpan] = field(default_factory=list)
    alarms: list[Event] = field(default_factory=list)
    notifications: list[Event] = field(default_factory=list)
    ended: float = 0.0
    passed: bool | None = None
    verdict: str = ""
    # The operations that local_aws passed through to MiniStack unchecked; none on AWS.
    passed_through: list[str] = field(default_factory=list)
    # Of the environment, as far as its event log goes back; None if its pipeline has released nothing.
    four_keys: FourKeys | None = None

    def to_json(self) -> str:
        """Return the evidence as JSON."""
        return json.dumps(asdict(self), indent=2)


def by_second(answers: Iterable[Answer], began: float) -> tuple[Second, ...]:
    """Summarize the answers to a prober that began at `began` by second, including seconds without any."""
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
    """Return the steps of CodePipeline's action executions and CodeDeploy's lifecycle events, in order.

    A step that has not started is left out.
    """
    steps = [_action_step(action) for action in actions]
    steps += [_event_step(event) for event in events if "startTime" in event]
    return tuple(sorted(steps, key=lambda step: (step.kind, step.began)))


def _action_step(action: dict[str, Any]) -> Step:
    stage, name = action["stageName"], action["actionName"]
    ended = None if action["status"] == "InProgress" else action["lastUpdateTime"].timestamp()
    shown = stage if stage == name else f"{stage}: {name}"
    return Step("action", shown, action["status"], action["startTime"].timestamp(), ended)


def _event_step(event: dict[str, Any]) -> Step:
    ended = event["endTime"].timestamp() if "endTime" in event else None
    return Step(
        "lifecycle event", event["lifecycleEventName"], event["status"], event["startTime"].timestamp(), ended
    )


def write(folder: Path, evidence: Evidence, page: str) -> Path:
    """Write the report and its JSON into `folder`; return the report."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(evidence.to_json())
    (folder / "report.html").write_text(page)
    return folder / "report.html"
