"""`make check-service` shows what a failed build printed last."""

from harness.build_project import BuildResult
from harness.check_service import reason, tried

LOG = """[Container] 2026/11/27 12:00:00.000 Running command python -I "$PLATFORM/try_image.py"
What the image printed:
KeyError: 'TABLE'
the image ended with exit code 1 before it answered /health; its last line: KeyError: 'TABLE'
[Container] 2026/11/27 12:00:01.000 Command did not exit successfully python -I "$PLATFORM/try_image.py" exit
[Container] 2026/11/27 12:00:01.000 Phase complete: BUILD State: FAILED
[Container] 2026/11/27 12:00:01.000 Running command test "$CODEBUILD_BUILD_SUCCEEDING" = 1
"""


def build(log: str) -> BuildResult:
    return BuildResult("FAILED", {}, {}, [], log)


def test_the_last_line_is_the_failed_commands_own() -> None:
    assert reason(build(LOG)).splitlines()[-2:] == [
        "KeyError: 'TABLE'",
        "the image ended with exit code 1 before it answered /health; its last line: KeyError: 'TABLE'",
    ]


def test_the_reason_is_no_longer_than_a_screen() -> None:
    assert len(reason(build("line\n" * 500 + LOG)).splitlines()) == 31


def test_what_the_image_answered_is_shown() -> None:
    assert tried(build("/health responds with 200\nother\n/api responds with 401\n")) == [
        "/health responds with 200",
        "/api responds with 401",
    ]
