"""The line of a log that says why something failed, on excerpts of real builds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from operations.why import deployment, tasks
from operations.why.log_lines import (
    FIX,
    SIGNS,
    failed_command,
    last_exception,
    listed,
    one_line,
    significant,
)

EXCERPTS = Path(__file__).with_name("excerpts")
RUNBOOK = Path(__file__).parents[3] / "docs/operations.md"
TRACEBACK = """\
Traceback (most recent call last):
  File "/srv/app.py", line 3, in <module>
    url = os.environ["DATABASE_URL"]
  File "<frozen os>", line 685, in __getitem__
KeyError: 'DATABASE_URL'
"""


def excerpt(name: str) -> list[str]:
    return (EXCERPTS / f"{name}.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("name", "step", "text", "remedy"),
    [
        (
            "failing-unit-test",
            'python -m pytest "$SERVICE_FOLDER" --junitxml=reports/unit-…',
            "sample_service/tests/test_broken.py::test_broken_on_purpose: assert F...",
            "fix the code and push",
        ),
        (
            "hard-coded-password",
            "Scan the code",
            "B105 Possible hardcoded password: 'correct-horse-battery-staple' "
            "(sample_service/greeter/secrets.py:3:11)",
            "add `# nosec` with a reason",
        ),
        (
            "shell",
            "Scan the code",
            "B404 Consider possible security implications associated with the subprocess module. "
            "(sample_service/greeter/shell.py:3:0); B602 subprocess call with shell=True identified, "
            "security issue. (sample_service/greeter/shell.py:8:11)",
            "add `# nosec` with a reason",
        ),
        (
            "syntax-error",
            'python -m pytest "$SERVICE_FOLDER" --junitxml=reports/unit-…',
            "SyntaxError: invalid syntax (sample_service/greeter/greeting.py:5)",
            "fix the code and push",
        ),
        (
            "requirement-that-does-not-exist",
            "python -m pip install --quiet --require-hashes --requiremen…",
            "No matching distribution found for flask==99.0.0",
            "pin a version that has one",
        ),
        (
            "tests-that-pytest-does-not-find",
            "Run the unit tests",
            "no tests ran",
            "name its files `test_*.py`, or set `python_files` in its `pyproject.toml`",
        ),
        (
            "package-index-out-of-reach",
            "Install the requirements",
            "the package index cannot be reached (NewConnectionError), so pip found no flask==3.1.3",
            "check the build's way to the package index",
        ),
        (
            "Dockerfile-that-does-not-build",
            'docker build --build-arg GIT_COMMIT="$COMMIT" --tag "$IMAGE…',
            "ERROR: failed to compute cache key: failed to calculate checksum of ref: "
            '"/sample_service/lost": not found',
            "build the image on your machine",
        ),
        (
            "image-that-starts-and-does-not-respond",
            "Try the image",
            "the image does not answer /health with 200 within 30 s: ConnectionRefusedError: [Errno 111] "
            "Connection refused. It must listen on 0.0.0.0 and the port of $PORT; `healthPath` of the "
            "catalogue is the path. docs/services.md of the platform's project says what a release requires "
            "of a service",
            "do what the line says; `make check-service` tries it again",
        ),
    ],
)
def test_the_line_of_a_build_that_failed_is_found(name: str, step: str, text: str, remedy: str) -> None:
    failure = failed_command(excerpt(name))
    assert failure is not None
    assert failure.step == step
    line = significant(failure.output)
    assert line is not None
    assert line.text == text
    assert remedy in line.remedy


def test_the_exception_of_an_image_that_does_not_answer_is_told_with_it() -> None:
    """The container's log follows the message of the smoke run, whose exit status says nothing."""
    printed = ["the image does not answer /health with 200 within 30 s: refused", *TRACEBACK.splitlines()]
    line = significant(printed)
    assert line is not None
    assert line.text.endswith("30 s: refused; KeyError: 'DATABASE_URL'")
    assert line.remedy == "do what the line says; `make check-service` tries it again"


def test_an_exception_alone_is_told() -> None:
    line = significant(["Starting", *TRACEBACK.splitlines()])
    assert line is not None
    assert (line.text, line.remedy) == ("KeyError: 'DATABASE_URL'", FIX)


def test_the_finding_of_the_audit_is_told_and_what_is_excepted_is_not() -> None:
    line = significant(
        [
            "excepted until 2027-05-31: click 8.1.8: CVE-2026-7246, fixed in 8.3.3: its reason",
            "finding: jinja2 2.10: CVE-2019-10906, fixed in 2.10.1",
        ]
    )
    assert line is not None
    assert line.text == "jinja2 2.10: CVE-2019-10906, fixed in 2.10.1"


def test_an_index_that_answered_after_a_retry_has_no_such_version() -> None:
    first = (
        "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'ReadTimeoutError(': /a/"
    )
    line = significant([first, "ERROR: No matching distribution found for flask==99.0.0"])
    assert line is not None
    assert line.remedy == "pin a version that has one"


def test_an_exception_in_a_log_of_json_is_found() -> None:
    lines = [
        json.dumps({"level": "ERROR", "message": "Exception on /", "exception": TRACEBACK.strip()}),
        json.dumps({"level": "INFO", "message": "request", "status": 500}),
        "{no json",
    ]
    assert last_exception(lines) == "KeyError: 'DATABASE_URL'"


def test_a_log_without_a_sign_has_no_line() -> None:
    assert significant(["Starting", "Listening at: http://127.0.0.1:8080"]) is None
    assert failed_command(["[Container] 2026/11/27 12:27:48.731259 Entering phase BUILD"]) is None


def test_a_reason_is_one_short_line_and_names_a_few_findings() -> None:
    assert one_line(f"a\n  b {'0f' * 20}:\n") == "a b 0f0f0f0"
    assert len(one_line("x" * 2000)) == 600
    assert listed(["a", "b", "c", "d", "e"]) == "a; b; c; and 2 more"


@pytest.mark.parametrize(
    "remedy",
    sorted(
        {
            *(sign.remedy for sign in SIGNS),
            *(remedy.format(suffix="dev") for pattern, remedy in deployment.REMEDIES if pattern),
            *(remedy.replace(r"\1 \2", "dev NAME") for _, remedy in tasks.REMEDIES),
        }
    ),
)
def test_a_remedy_is_in_the_words_of_the_runbook(remedy: str) -> None:
    assert plain(remedy) in plain(RUNBOOK.read_text("utf-8"))


def plain(text: str) -> str:
    """Return a text without the line breaks, the links and the capitals that a page needs."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(text.split())).lower()
