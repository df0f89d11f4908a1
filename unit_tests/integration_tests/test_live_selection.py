"""What `pytest integration_tests --live` collects; nothing runs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from integration_tests.conftest import pytest_configure
from integration_tests.support.scenario_fixtures import take_suffix
from unit_tests.project_files import PROJECT


def collect(folder: Path, *arguments: str, code: int = 0) -> tuple[set[str], str]:
    """Return the files whose tests are collected, and everything that is printed, with that exit code."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q"]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, f"--junitxml={folder / 'results.xml'}", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        # This test may itself run in a worker, which --live refuses.
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")},
    )
    assert done.returncode == code, done.stdout + done.stderr
    files = set(re.findall(r"^integration_tests/(\S+?)::", done.stdout, re.M))
    return files, done.stdout + done.stderr


def test_live_alone_runs_the_first_scenario_and_says_so(tmp_path: Path) -> None:
    files, printed = collect(tmp_path, "integration_tests", "--live")
    assert files == {"test_first_scenario.py"}
    assert "--live runs the first scenario: one environment" in printed
    assert re.search(r"[0-9]+ tests left out: not in the first scenario", printed)


def test_all_scenarios_are_those_that_make_sense_on_aws(tmp_path: Path) -> None:
    files, printed = collect(tmp_path, "integration_tests", "--live", "--all-scenarios")
    assert {"test_first_scenario.py", "test_gates.py", "test_promotion.py"} <= files
    assert not {"test_kill_and_restart.py", "test_first_steps.py"} & files
    assert not [file for file in files if file.startswith(("pitfalls/", "attacks/"))]
    assert re.search(r"[0-9]+ tests left out: only local_aws can be killed", printed)


def test_a_file_that_is_named_runs(tmp_path: Path) -> None:
    files, printed = collect(tmp_path, "integration_tests/test_releases.py", "--live")
    assert files == {"test_releases.py"}
    assert "--live runs the first scenario" not in printed


def test_live_refuses_workers_which_would_all_deploy_the_same_suffix(tmp_path: Path) -> None:
    _, printed = collect(tmp_path, "integration_tests", "--live", "--suffix", "mine", "-n", "2", code=4)
    assert "ERROR: --live plays one scenario after another, and shows them live: leave out -n" in printed


def test_a_suffix_that_the_app_would_refuse_is_one_line_before_anything_starts(tmp_path: Path) -> None:
    _, printed = collect(tmp_path, "integration_tests", "--live", "--suffix", "Not_Mine", code=4)
    assert "error: argument --suffix: 'Not_Mine' is no environmentSuffix: 1 to" in printed
    assert "Traceback" not in printed


def test_the_suffix_is_of_the_first_environment_and_of_no_later_one() -> None:
    config = cast(pytest.Config, SimpleNamespace(option=SimpleNamespace(suffix="mine")))
    assert [take_suffix(config), take_suffix(config)] == ["mine", ""]


def test_the_account_is_checked_for_the_environment_that_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was checked for another random suffix."""
    option = SimpleNamespace(live=True, suffix=None, xmlpath="results.xml", numprocesses=None)
    config: Any = SimpleNamespace(
        option=option,
        getoption=lambda name, default=None: getattr(option, name.strip("-"), default),
        pluginmanager=SimpleNamespace(register=lambda _: None),
    )
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    pytest_configure(config)
    checked = config.getoption("--suffix")
    assert (checked, take_suffix(config)) == (checked, checked)
    assert re.fullmatch(r"it[0-9a-f]{8}", checked)


def test_keep_destroys_nothing(tmp_path: Path) -> None:
    _, printed = collect(tmp_path, "integration_tests/test_releases.py", "--keep")
    assert "test_five_releases_in_a_row_fail_no_request" in printed
    assert "test_destroy_after_six_releases_leaves_nothing" not in printed


def unmarked(source: str) -> list[str]:
    """Return the tests that destroy an environment and lack the marker."""
    tests = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return [
        test.name
        for test in tests
        if test.name.startswith("test_") and ".destroy(" in ast.unparse(test)
        if "pytest.mark.destroys" not in map(ast.unparse, test.decorator_list)
    ]


def test_each_test_that_destroys_is_marked() -> None:
    paths = (PROJECT / "integration_tests").glob("test_*.py")
    assert {path.name: found for path in paths if (found := unmarked(path.read_text("utf-8")))} == {}


def test_a_test_that_destroys_without_the_marker_is_noticed() -> None:
    assert unmarked("def test_x():\n    scenario.destroy()") == ["test_x"]
    assert unmarked("@pytest.mark.destroys\ndef test_x():\n    scenario.destroy()") == []
