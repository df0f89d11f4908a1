"""`make check-service` shows what a failed build printed last."""

from harness.build_project import BuildResult
from harness.check_service import reason, tried

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


def test_the_last_line_names_the_gate_and_what_is_wrong() -> None:
    assert reason(build(LOG)).splitlines()[-1] == (
        "Try the image: the image ended with exit code 1 before it answered /health; its last line: "
        "KeyError: 'TABLE'"
    )
    assert reason(build(SCAN)).splitlines()[-1] == (
        "Scan the code: B105 Possible hardcoded password: 'abc' (service/mysite/settings.py:23:13)"
    )


def test_the_reason_is_no_longer_than_a_screen() -> None:
    printed = LOG.replace("What the image printed:\n", "line\n" * 500)
    assert len(reason(build(printed)).splitlines()) == 32


def test_what_the_image_answered_is_shown() -> None:
    assert tried(build("/health responds with 200\nother\n/api responds with 401\n")) == [
        "/health responds with 200",
        "/api responds with 401",
    ]
