"""The report of one release, made on request from the same APIs as a scenario's report."""

from collections import Counter
from dataclasses import replace

from harness.dashboard.environment_view import EnvironmentView
from harness.dashboard.pipeline_state import commit_of
from harness.prober import Prober, figures_of
from harness.release import FINAL, read
from harness.report.evidence import ProbeSpan, by_second
from harness.report.page import render
from harness.report.recorder import Recorder


def report(view: EnvironmentView, execution: str, prober: Prober | None) -> str | None:
    """Return the report as HTML, with the answers that `prober` got; None if no such release has finished.

    Raises `HarnessError` if the environment is not deployed.
    """
    releases = view.releases()
    found = [one for one in releases.executions() if one["pipelineExecutionId"] == execution]
    if not found or found[0]["status"] not in FINAL:
        return None
    (summary,) = found
    recorder = Recorder(view.cloud, view.suffix)
    recorder.release(read(commit_of(summary), summary, releases.actions(execution)), releases)
    recorder.read_four_keys()
    evidence = recorder.evidence
    evidence.began, evidence.ended = (summary[key].timestamp() for key in ("startTime", "lastUpdateTime"))
    evidence.passed = summary["status"] == "Succeeded"
    evidence.verdict = f"{summary['status']} after {evidence.ended - evidence.began:.0f} s"
    if prober is not None and (traffic := traffic_of(prober, evidence.began, evidence.ended)):
        evidence.traffic.append(traffic)
    return render(evidence)


def traffic_of(prober: Prober, began: float, ended: float) -> ProbeSpan | None:
    """Return the answers between two moments, or None if there are none."""
    # A prober that started during the release has no answers from before.
    since = max(began - prober.began, 0.0)
    answers = prober.between(since, ended - prober.began)
    if not answers:
        return None
    moved = [replace(answer, at=answer.at - since) for answer in answers]
    return ProbeSpan(
        prober.url,
        prober.began + since,
        "not kept",
        figures_of(answers, since),
        by_second(moved, prober.began + since),
        dict(Counter(answer.error for answer in answers if answer.error)),
    )
