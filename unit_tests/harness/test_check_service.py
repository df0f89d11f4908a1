"""`make check-service` shows what a failed build printed last."""

from typing import Any

import pytest
import yaml

from harness.__main__ import main
from harness.build_project import BuildResult
from harness.check_service import GATES, builds, output, summary, tried
from harness.cloud import PROJECT
from harness.progress import Progress

LOG = """[Container] 2026/11/27 12:00:00.000 Running command # Try the image
python -I "$PLATFORM/try_image.py"

What the image printed:
KeyError: 'TABLE'
the image ended with exit code 1 before it answered /health; its last line: KeyError: 'TABLE'
[Container] 2026/11/27 12:00:01.000 Command did not exit successfully # Try the image
python -I "$PLATFORM/try_image.py"
 exit status 1
[Container] 2026/11/27 12:00:01.000 Phase complete: BUILD State: FAILED
[Container] 2026/11/27 12:00:01.000 Running command test "$CODEBUILD_BUILD_SUCCEEDING" = 1
"""
SCAN = """[Container] 2026/11/27 12:00:00.000 Running command # Scan the code
>> Issue: [B105:hardcoded_password_string] Possible hardcoded password: 'abc'
   Severity: Low   Confidence: Medium
   Location: /builds/1/src/service/mysite/settings.py:23:13
Files skipped (0):
[Container] 2026/11/27 12:00:01.000 Command did not exit successfully # Scan the code exit status 1
"""


def build(log: str) -> BuildResult:
    return BuildResult("FAILED", {}, {}, [], log)


def test_the_last_lines_name_each_gate_what_is_wrong_and_what_to_do() -> None:
    assert summary([("Test", build(SCAN)), ("Build", build(LOG))]).splitlines()[-3:] == [
        "What is missing:",
        "Test: Scan the code: B105 Possible hardcoded password: 'abc' (service/mysite/settings.py:23:13): "
        "fix it; for a false positive, add `# nosec` with a reason",
        "Build: Try the image: the image ended with exit code 1 before it answered /health; its last line: "
        "KeyError: 'TABLE': do what the line says; `make check-service` tries it again",
    ]
    assert summary([("Test", BuildResult("TIMED_OUT", {}, {}, [], "..."))]).endswith(
        "Test: TIMED_OUT: see above"
    )


def test_a_service_that_is_not_in_the_catalogue_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("harness.check_service.local_aws", lambda _: pytest.fail("it is started"))
    assert main(["check-service", "nosuch"]) == 2
    assert capsys.readouterr().err.startswith(
        "check-service: the catalogue of cdk.json has no service 'nosuch', only sample-service"
    )


class RecordedProject:
    """In place of a project: its builds end with these logs, in turn; an empty one has succeeded."""

    buildspec = (PROJECT / "buildspec.yml").read_text("utf-8")

    def __init__(self, *logs: str) -> None:
        self.logs, self.steps = list(logs), list[list[str]]()

    def build(self, buildspec: str, **_: object) -> BuildResult:
        commands = [
            one for phase in yaml.safe_load(buildspec)["phases"].values() for one in phase["commands"]
        ]
        self.steps.append([one.partition("\n")[0] for one in commands])
        return build(log) if (log := self.logs.pop(0)) else BuildResult("SUCCEEDED", {}, {}, [], "")


def failed(gate: str) -> str:
    return SCAN.replace("Scan the code", gate)


@pytest.mark.parametrize(
    ("logs", "missing"),
    [
        ([""], set()),
        ([failed("Scan the code"), ""], {"# Scan the code"}),
        ([failed(GATES[0]), failed(GATES[1]), failed("Run the unit tests")], {f"# {gate}" for gate in GATES}),
        ([failed("Install the requirements")], set()),
    ],
)
def test_after_a_failed_gate_the_others_are_tried(logs: list[str], missing: set[str]) -> None:
    project: Any = RecordedProject(*logs)
    found = [one.status for one in builds(project, Progress(lambda _: None), "Test", [])]
    assert found == ["FAILED" if log else "SUCCEEDED" for log in logs]
    first, last = project.steps[0], project.steps[-1]
    assert len(first) == len(last)
    assert set(first) - set(last) == missing


def test_the_reason_is_no_longer_than_a_screen() -> None:
    printed = LOG.replace("What the image printed:\n", "line\n" * 500)
    assert len(output(build(printed)).splitlines()) == 31


def test_what_the_image_answered_is_shown() -> None:
    assert tried(build("/health responds with 200\nother\n/api responds with 401\n")) == [
        "/health responds with 200",
        "/api responds with 401",
    ]
