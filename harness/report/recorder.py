"""Gathers the evidence of a run while it goes on, from the same APIs on both clouds."""

import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

from harness.cloud import PROJECT, Cloud
from harness.prober import Prober
from harness.release import Release, Releases
from harness.report.evidence import Event, Evidence, ReleaseEvidence, Traffic, by_second, steps_of, write
from harness.report.page import render

# Beside the run's own folder, which goes when all went well.
FOLDER = PROJECT / "evidence"
# What the name of a run's folder begins with.
STAMP = "%Y%m%d-%H%M%S"


# An alarm that only begins to see data is no news.
ON_OR_OFF = re.compile(r"\b(from|to) ALARM\b")


def subject(message: str) -> str:
    """Return what a message says: an alarm's is JSON, of which its name, state and reason are enough."""
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
        """Return the file for the answers of the next prober: every one is kept."""
        self._probers += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"probes-{self._probers}.jsonl"

    def traffic(self, prober: Prober) -> None:
        """Keep what a prober that has stopped saw."""
        self.evidence.traffic.append(
            Traffic(
                prober.url,
                prober.began,
                prober.log.name,
                prober.figures(),
                by_second(prober.answers, prober.began),
                dict(Counter(answer.error for answer in prober.failures)),
            )
        )

    def release(self, release: Release, releases: Releases) -> None:
        """Keep a release that is over, and the alarms that changed so far."""
        events = releases.lifecycle(release.deployment) if release.deployment else []
        steps = steps_of(releases.actions(release.execution), events)
        self.evidence.releases.append(
            ReleaseEvidence(
                release.commit, release.execution, release.status, release.deployment, release.reason, steps
            )
        )
        self.evidence.alarms = self._alarms(releases.alarm_names())

    def notified(self, moments: list[float], messages: list[str]) -> None:
        """Keep what the topic has told its subscribers so far."""
        self.evidence.notifications = [
            Event(at, "notification", subject(message))
            for at, message in sorted(zip(moments, messages, strict=True))
        ]

    def finish(self, *, passed: bool, verdict: str) -> Path:
        """Write the report and its JSON; return the report's path."""
        self.evidence.ended = time.time()
        self.evidence.passed, self.evidence.verdict = passed, verdict
        return write(self.folder, self.evidence, render(self.evidence))

    def _alarms(self, names: list[str]) -> list[Event]:
        pages = self.cloud.account.pages
        told: list[dict[str, Any]] = []
        for name in names:
            told += pages(
                "cloudwatch",
                "describe_alarm_history",
                "AlarmHistoryItems",
                AlarmName=name,
                HistoryItemType="StateUpdate",
            )
        events = [
            Event(item["Timestamp"].timestamp(), item["AlarmName"], item["HistorySummary"])
            for item in told
            if ON_OR_OFF.search(item["HistorySummary"])
        ]
        return sorted(events, key=lambda one: one.at)
