"""Collects the evidence of a run from the same APIs on both clouds."""

import contextlib
import json
import re
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.cloud import PROJECT, Cloud
from harness.prober import Prober
from harness.release import HOOK, Release, Releases
from harness.release_logs import break_glass
from harness.report.build_steps import builds_of
from harness.report.evidence import Event, Evidence, ProbeSpan, ReleaseEvidence, by_second, steps_of, write
from harness.report.page import render
from operations.names import Names
from operations.status import four_keys

# Not in the run's own folder, which is removed after a success.
FOLDER = PROJECT / "evidence"
# The beginning of the name of a run's folder.
STAMP = "%Y%m%d-%H%M%S"


# A change from INSUFFICIENT_DATA to OK is not of interest.
ALARM_CHANGE = re.compile(r"\b(from|to) ALARM\b")


def subject(message: str) -> str:
    """Return a message as text: of an alarm's JSON, its name, state and reason."""
    try:
        alarm = json.loads(message)
        return f"{alarm['AlarmName']} is {alarm['NewStateValue']}: {alarm['NewStateReason']}"
    except (ValueError, KeyError, TypeError):
        return message.strip('"')


class Recorder:
    """The evidence of one environment's run; `finish` writes it into a folder of its own."""

    def __init__(self, cloud: Cloud, suffix: str, root: Path = FOLDER) -> None:
        self.cloud = cloud
        self.folder = root / f"{time.strftime(STAMP)}-{suffix}"
        self.evidence = Evidence(cloud.name, suffix, cloud.time_scale, time.time())
        self._probers = 0

    def probe_log(self) -> Path:
        """Return the file for all answers of the next prober."""
        self._probers += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"probes-{self._probers}.jsonl"

    def traffic(self, prober: Prober) -> None:
        """Record the answers of a stopped prober."""
        self.evidence.traffic.append(
            ProbeSpan(
                prober.url,
                prober.began,
                prober.log.name,
                prober.figures(),
                by_second(prober.answers, prober.began),
                dict(Counter(answer.error for answer in prober.failures)),
                dict(Counter(answer.error for answer in prober.unsent)),
            )
        )

    def release(self, release: Release, releases: Releases) -> None:
        """Record a finished release, and the alarms' changes so far."""
        deployment = release.deployment
        events = releases.lifecycle(deployment) if deployment else []
        passed = [one for one in events if (one["lifecycleEventName"], one["status"]) == (HOOK, "Succeeded")]
        opened = break_glass(self.cloud, releases.hook_log, deployment) if deployment and passed else ""
        actions = releases.actions(release.execution)
        self.evidence.releases.append(
            ReleaseEvidence(
                *(release.commit, release.execution, release.status, deployment, release.reason),
                steps_of(actions, events),
                opened,
                builds_of(self.cloud, actions),
            )
        )
        self.evidence.alarms = self._alarms(releases.alarm_names())

    def read_four_keys(self) -> None:
        """Record DORA's four keys of the environment, as its event log has them now."""
        self.evidence.four_keys = four_keys.read(
            self.cloud.account, Names(self.evidence.suffix), datetime.now(UTC)
        )

    def notified(self, timestamps: list[float], messages: list[str]) -> None:
        """Record the messages that the topic has published so far."""
        self.evidence.notifications = [
            Event(at, "notification", subject(message))
            for at, message in sorted(zip(timestamps, messages, strict=True))
        ]

    def finish(self, *, passed: bool, verdict: str) -> Path:
        """Write the report and its JSON; return the report's path."""
        self.evidence.ended = time.time()
        self.evidence.passed, self.evidence.verdict = passed, verdict
        # A local_aws that has been killed cannot tell.
        with contextlib.suppress(OSError, ValueError):
            self.evidence.passed_through = list(self.cloud.passed_through())
        return write(self.folder, self.evidence, render(self.evidence))

    def _alarms(self, names: list[str]) -> list[Event]:
        pages = self.cloud.account.pages
        history: list[dict[str, Any]] = []
        for name in names:
            history += pages(
                "cloudwatch",
                "describe_alarm_history",
                "AlarmHistoryItems",
                AlarmName=name,
                HistoryItemType="StateUpdate",
            )
        events = [
            Event(item["Timestamp"].timestamp(), item["AlarmName"], item["HistorySummary"])
            for item in history
            if ALARM_CHANGE.search(item["HistorySummary"])
        ]
        return sorted(events, key=lambda one: one.at)
