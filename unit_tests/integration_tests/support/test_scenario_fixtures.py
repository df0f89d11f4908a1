"""What a run shows while it runs and at its end: a scenario that deploys nothing, in a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from unit_tests.project_files import PROJECT

# The options and hooks of every scenario; nobody asks an account, and a destroy does what a test says.
CONFTEST = """
import signal

import pytest

from harness.cloud import Cloud, HarnessError
from harness.scenario import Scenario
from integration_tests.conftest import *

Scenario._may_remain = lambda self: True
Scenario.unsubscribe = lambda self: None
Scenario._no_leftovers = lambda self: self.progress.step("destroyed: 0 leftovers")


def destroy(say):
    DESTROY


@pytest.fixture(scope="module")
def scenario(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    with termination_as_keyboard_interrupt():
        with running_scenario(Cloud("AWS", folder), request, suffix="it1") as scenario:
            scenario.recorder.folder = folder / "evidence"
            scenario.environment.destroy = destroy
            yield scenario
"""
TEST = """
import signal

def test_it(scenario):
    scenario.progress.step("in the test")
    print("what pytest captures")
    BODY
"""
INTERRUPT = "signal.raise_signal(signal.SIGTERM)"
STILL = "it1 may still exist and cost money; to destroy it: python -m operations destroy it1"
KEPT = "kept: it1, no URL yet; to destroy it: python -m operations destroy it1"


@dataclass
class Run:
    """A run that has ended: its exit code, what its terminal shows, and its folder."""

    code: int
    shown: str
    folder: Path

    @property
    def last_line(self) -> str:
        return self.shown.splitlines()[-1]

    @property
    def report(self) -> str:
        (path,) = self.folder.rglob("report.html")
        return path.read_text("utf-8")

    @property
    def counts(self) -> dict[str, str]:
        return dict(re.findall(r'(errors|failures|tests)="(\d+)"', (self.folder / "junit.xml").read_text()))


def run(folder: Path, *arguments: str, body: str = "pass", destroy: str = "pass") -> Run:
    """Run a test with `body`, whose environment is destroyed by `destroy`."""
    (folder / "conftest.py").write_text(CONFTEST.replace("DESTROY", destroy))
    (folder / "test_it.py").write_text(TEST.replace("BODY", body))
    command = [sys.executable, "-m", "pytest", "test_it.py", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, "--basetemp", str(folder / "temporary"), f"--junitxml={folder / 'junit.xml'}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            "PYTHONPATH": str(PROJECT),
        },
    )
    return Run(done.returncode, done.stdout, folder)


def test_progress_is_shown_at_once_on_aws(tmp_path: Path) -> None:
    """pytest shows what a test prints when it fails: a person would see nothing for two hours."""
    live = run(tmp_path, "--live")
    assert (live.code, "  in the test" in live.shown) == (0, True), live.shown
    assert "what pytest captures" not in live.shown
    assert "every test of test_it.py passed" in live.report


def test_the_last_line_after_a_failed_destroy_is_what_to_type(tmp_path: Path) -> None:
    """Below it, pytest printed a traceback, or `1 passed`."""
    live = run(tmp_path, "--live", destroy='raise HarnessError("the stack is DELETE_FAILED")')
    assert (live.code, live.last_line) == (1, STILL), live.shown
    assert "the stack is DELETE_FAILED" in live.shown


def test_the_last_line_after_a_kept_environment_is_how_to_destroy_it(tmp_path: Path) -> None:
    live = run(tmp_path, "--live", "--keep", destroy='raise HarnessError("destroyed")')
    assert (live.code, live.last_line) == (0, KEPT), live.shown


def test_a_run_that_is_interrupted_in_a_test_and_in_its_destroy_ends_with_what_to_type(
    tmp_path: Path,
) -> None:
    live = run(tmp_path, "--live", body=INTERRUPT, destroy=f"{INTERRUPT}; {INTERRUPT}")
    assert (live.code, live.last_line) == (2, STILL), live.shown
    assert "Traceback" not in live.shown


def test_the_results_of_an_interrupted_run_are_not_those_of_a_pass(tmp_path: Path) -> None:
    """In JUnit's file, such a run had 0 tests and 0 errors, and its report said that every test passed."""
    live = run(tmp_path, "--live", body=INTERRUPT)
    assert "destroyed: 0 leftovers" in live.shown
    assert live.code == 2
    assert live.counts == {"errors": "1", "failures": "0", "tests": "1"}
    assert "interrupted in test_it" in live.report
    assert live.last_line == "nothing of it1 is left"
