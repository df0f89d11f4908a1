"""Commits that must not be released: each is made for one gate, and passes the gates before it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SERVICE = Path("sample_service")
ROUTES = SERVICE / "greeter/routes.py"

# A load balancer adds these headers to forwarded requests, but not to its health checks.
FAILS_BEHIND_A_LOAD_BALANCER = """

@blueprint.before_app_request
def fail_behind_a_load_balancer() -> None:
    from flask import request

    if "X-Forwarded-For" in request.headers:
        raise RuntimeError("a mistake made on purpose")
"""
FAILS_IN_PRODUCTION = """

@blueprint.before_app_request
def fail_in_production() -> None:
    from flask import request

    if request.headers.get("X-Forwarded-Port", "8080") != "8080":
        raise RuntimeError("a mistake that only production traffic reaches")
"""
RUNS_A_SHELL = '''"""Run commands."""

import subprocess


def run(command: str) -> int:
    """Run a command in a shell."""
    return subprocess.call(command, shell=True)
'''
CREDENTIALS_MODULE = '''"""Credentials."""

PASSWORD = "correct-horse-battery-staple"
'''


@dataclass(frozen=True)
class BadCommit:
    """One mistake: `make` writes it into a clone; the error message must contain `expected`.

    `why` is the gate and a part of the reason that `operations why` tells. `failed_tests` are those that the
    build's report must show.
    """

    name: str
    make: Callable[[Path], None]
    expected: str
    why: tuple[str, str]
    failed_tests: tuple[str, ...] = ()


def _write(path: str, text: str) -> Callable[[Path], None]:
    def make(clone: Path) -> None:
        (clone / path).write_text(text)

    return make


def _append(path: Path, text: str) -> Callable[[Path], None]:
    def make(clone: Path) -> None:
        with (clone / path).open("a") as file:
            file.write(text)

    return make


def _replace(path: str, old: str, new: str) -> Callable[[Path], None]:
    def make(clone: Path) -> None:
        before = (clone / path).read_text()
        if before.count(old) != 1:
            raise AssertionError(
                f"{path} of the deployed repository contains {old!r} {before.count(old)} times"
            )
        (clone / path).write_text(before.replace(old, new))

    return make


BUILD = (
    BadCommit(
        "a failing unit test",
        _write("sample_service/tests/test_broken.py", "def test_broken_on_purpose():\n    assert False\n"),
        "FAILED sample_service/tests/test_broken.py::test_broken_on_purpose",
        ("Run the unit tests", "test_broken_on_purpose (tests.test_broken): assert False"),
        ("test_broken_on_purpose",),
    ),
    BadCommit(
        "a hard-coded password",
        _write("sample_service/greeter/secrets.py", CREDENTIALS_MODULE),
        "Possible hardcoded password: 'correct-horse-battery-staple'",
        ("Scan the code", "(sample_service/greeter/secrets.py:3:11)"),
    ),
    BadCommit(
        "a shell",
        _write("sample_service/greeter/shell.py", RUNS_A_SHELL),
        "subprocess call with shell=True identified, security issue",
        ("Scan the code", "B602 subprocess call with shell=True identified, security issue."),
    ),
    BadCommit(
        "a syntax error",
        _append(SERVICE / "greeter/greeting.py", "\ndef broken(:\n"),
        "SyntaxError: invalid syntax",
        ("Run the unit tests", "SyntaxError: invalid syntax (sample_service/greeter/greeting.py:"),
    ),
    BadCommit(
        "a requirement that does not exist",
        _replace("sample_service/requirements-dev.txt", "flask==3.1.3", "flask==99.0.0"),
        "No matching distribution found for flask==99.0.0",
        ("Install the requirements", "No matching distribution found for flask==99.0.0"),
    ),
    BadCommit(
        "a Dockerfile that does not build",
        _replace("Dockerfile", "COPY sample_service/greeter ./greeter", "COPY sample_service/lost ./greeter"),
        "sample_service/lost",
        ("Build the image", "sample_service/lost"),
    ),
    BadCommit(
        "an image that starts and does not respond",
        _replace("Dockerfile", 'CMD ["gunicorn", ', 'CMD ["gunicorn", "--bind", "0.0.0.0:9090", '),
        "the image does not answer /health with 200 within 30 s",
        ("Try the image", "the image does not answer /health with 200 within 30 s"),
    ),
)
BEHIND_THE_TEST_LISTENER = BadCommit(
    "a failure behind a load balancer",
    _append(ROUTES, FAILS_BEHIND_A_LOAD_BALANCER),
    "HOOK_EXECUTION_FAILURE",
    ("test-traffic hook", "got 500 of version"),
)
IN_PRODUCTION = BadCommit(
    "a failure in production traffic",
    _append(ROUTES, FAILS_IN_PRODUCTION),
    "ALARM_ACTIVE",
    ("alarm, errors-", "RuntimeError: a mistake that only production traffic reaches"),
)
