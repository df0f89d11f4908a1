"""`make check-service` shows what a failed build printed last."""

from typing import Any, ClassVar

import pytest

from harness.build_project import BuildResult
from harness.check_service import builds, output, summary, tried, without
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


class RecordedProject:
    """In place of a project: its builds end with these logs, in turn; an empty one has succeeded."""

    buildspec: ClassVar[dict[str, Any]] = {
        "phases": {
            "install": {"commands": ["python --version", "# Compare the pins with the advisories\npython"]},
            "pre_build": {"commands": ["# Scan the code\npython -m bandit"]},
            "build": {"commands": ["# Run the unit tests\npython -m pytest"]},
        }
    }

    def __init__(self, *logs: str) -> None:
        self.logs, self.run = list(logs), list[list[str]]()

    def build(self, buildspec: dict[str, Any], **_: object) -> BuildResult:
        commands = [one for phase in buildspec["phases"].values() for one in phase["commands"]]
        self.run.append([one.partition("\n")[0] for one in commands])
        return build(log) if (log := self.logs.pop(0)) else BuildResult("SUCCEEDED", {}, {}, [], "")


def failed(gate: str) -> str:
    return SCAN.replace("Scan the code", gate)


@pytest.mark.parametrize(
    ("logs", "run"),
    [
        (
            [""],
            [
                "python --version",
                "# Compare the pins with the advisories",
                "# Scan the code",
                "# Run the unit tests",
            ],
        ),
        (
            [
                failed("Compare the pins with the advisories"),
                failed("Scan the code"),
                failed("Run the unit tests"),
            ],
            ["python --version", "# Run the unit tests"],
        ),
        (
            [failed("Install the requirements")],
            [
                "python --version",
                "# Compare the pins with the advisories",
                "# Scan the code",
                "# Run the unit tests",
            ],
        ),
    ],
)
def test_after_a_failed_gate_the_others_are_tried(logs: list[str], run: list[str]) -> None:
    project: Any = RecordedProject(*logs)
    found = [one.status for one in builds(project, Progress(lambda _: None), "Test", [])]
    assert found == ["FAILED" if log else "SUCCEEDED" for log in logs]
    assert project.run[-1] == run


def test_a_phase_without_a_command_is_left_out() -> None:
    assert [*without(RecordedProject.buildspec, "Scan the code")["phases"]] == ["install", "build"]


def test_the_reason_is_no_longer_than_a_screen() -> None:
    printed = LOG.replace("What the image printed:\n", "line\n" * 500)
    assert len(output(build(printed)).splitlines()) == 31


def test_what_the_image_answered_is_shown() -> None:
    assert tried(build("/health responds with 200\nother\n/api responds with 401\n")) == [
        "/health responds with 200",
        "/api responds with 401",
    ]
