"""The reports that the dashboard serves."""

import json
from pathlib import Path

from harness.dashboard.reports import report, traffic_of
from harness.prober import Answer, Prober
from unit_tests.harness.dashboard.recorded_responses import NEW, NOW, OLD, environment, summary, view
from unit_tests.operations.release_history import run


def test_only_a_finished_release_has_a_report_and_the_page_need_not_be_open() -> None:
    responses = environment()
    responses["list_pipeline_executions"] = {
        "pipelineExecutionSummaries": [summary("2", NEW, "InProgress"), summary("1", OLD, "Failed")]
    }
    moments = {"startTime": NOW, "lastUpdateTime": NOW}
    action = {"stageName": "Source", "actionName": "Source", "status": "Failed", **moments}
    logged = [{"message": json.dumps(each)} for each in run(1, "a", 10, "FAILED")]
    responses["filter_log_events"] = {"events": logged}
    responses["list_action_executions"] = {"actionExecutionDetails": [action]}
    seen = view(responses)
    text = report(seen, "1", None)
    assert text is not None
    assert f"commit <code>{OLD[:7]}</code>, Failed" in text
    assert "<strong>FAILED.</strong> Failed after 0 s" in text
    assert "last 30 days: 0 releases, 1 of 1 change failed" in text
    assert report(seen, "2", None) is None
    assert report(seen, "3", None) is None


def test_a_report_has_the_traffic_during_its_release(tmp_path: Path) -> None:
    prober = Prober("http://nowhere", tmp_path / "log")
    prober.began = 1000.0
    prober.answers = [
        Answer(at, 10.0, False, 200, version, "" if version else "status 502")
        for at, version in ((1.0, OLD), (5.5, OLD), (6.1, NEW), (6.2, ""), (20.0, NEW))
    ]
    traffic = traffic_of(prober, 1005.0, 1010.0)
    assert traffic is not None
    assert traffic.began == 1005.0
    assert [(one.at, one.versions, one.failed) for one in traffic.seconds] == [
        (1005.0, {OLD: 1}, 0),
        (1006.0, {NEW: 1}, 1),
    ]
    assert (traffic.figures.requests, traffic.figures.failures, traffic.errors) == (3, 1, {"status 502": 1})


def test_a_release_without_probes_has_no_traffic(tmp_path: Path) -> None:
    prober = Prober("http://nowhere", tmp_path / "log")
    prober.began = 1000.0
    prober.answers = [Answer(1.0, 10.0, False, 200, NEW)]
    assert traffic_of(prober, 900.0, 999.0) is None
    traffic = traffic_of(prober, 900.0, 1002.0)
    assert traffic is not None
    assert traffic.began == 1000.0, "the time before the first probe is not shown"
