"""The report of one release, made when somebody asks for it, from the same APIs as a scenario's."""

from collections import Counter
from dataclasses import replace

from harness.dashboard.environment_view import Road, commit_of
from harness.prober import Prober, figures_of
from harness.release import FINAL, read
from harness.report.evidence import Traffic, by_second
from harness.report.page import render
from harness.report.recorder import Recorder


def report(road: Road, execution: str, prober: Prober | None) -> str | None:
    """Return the report's page, with what `prober` was answered meanwhile; None of what is not over."""
    releases = road.releases()
    found = [one for one in releases.executions() if one["pipelineExecutionId"] == execution]
    if not found or found[0]["status"] not in FINAL:
        return None
    (summary,) = found
    recorder = Recorder(road.cloud, road.suffix)
    recorder.release(read(commit_of(summary), summary, releases.actions(execution)), releases)
    evidence = recorder.evidence
    evidence.began, evidence.ended = (summary[key].timestamp() for key in ("startTime", "lastUpdateTime"))
    evidence.passed = summary["status"] == "Succeeded"
    evidence.verdict = f"{summary['status']} after {evidence.ended - evidence.began:.0f} s"
    if prober is not None and (traffic := traffic_of(prober, evidence.began, evidence.ended)):
        evidence.traffic.append(traffic)
    return render(evidence)


def traffic_of(prober: Prober, began: float, ended: float) -> Traffic | None:
    """Return what was answered between two moments, or None if nobody asked."""
    # A prober that began later has nothing to tell of what was before.
    since = max(began - prober.began, 0.0)
    answers = prober.between(since, ended - prober.began)
    if not answers:
        return None
    moved = [replace(answer, at=answer.at - since) for answer in answers]
    return Traffic(
        prober.url,
        prober.began + since,
        "not kept",
        figures_of(answers, since),
        by_second(moved, prober.began + since),
        dict(Counter(answer.error for answer in answers if answer.error)),
    )
