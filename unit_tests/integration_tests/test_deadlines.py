"""A wait that runs on AWS has a deadline of the cloud, `Cloud.minutes`: local_aws shortens AWS's minutes."""

from __future__ import annotations

import ast
from pathlib import Path

from unit_tests.project_files import PROJECT

# They deploy small stacks, or wait for a build of their own, on local_aws only.
LOCAL = {"harness/stacks.py", "harness/build_project.py"}


def live_files() -> list[Path]:
    """Return the files whose waits run on AWS, too."""
    scenarios = [
        *(PROJECT / "integration_tests").glob("*.py"),
        *(PROJECT / "integration_tests/faults").glob("*.py"),
    ]
    paths = [
        *scenarios,
        *(PROJECT / "integration_tests/support").glob("*.py"),
        *(PROJECT / "harness").rglob("*.py"),
    ]
    return [
        path
        for path in paths
        if str(path.relative_to(PROJECT)) not in LOCAL and "mark.local_only" not in path.read_text("utf-8")
    ]


def fixed_deadlines(source: str) -> list[int]:
    """Return the lines of calls of `wait_for` whose deadline is a number."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "wait_for"
        for keyword in node.keywords
        if keyword.arg == "deadline" and isinstance(keyword.value, ast.Constant)
    ]


def test_no_wait_has_a_deadline_that_is_local_awss_only() -> None:
    """A hook's line, a response, the end of a deployment: 60 seconds were enough on local_aws."""
    found = {
        str(path.relative_to(PROJECT)): fixed_deadlines(path.read_text("utf-8")) for path in live_files()
    }
    assert len(found) > 40
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_fixed_deadline_is_noticed() -> None:
    assert fixed_deadlines(
        'wait_for("x", look, deadline=60)\nwait_for("x", look, deadline=cloud.minutes(1))'
    ) == [1]
