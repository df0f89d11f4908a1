"""What a build does about parameters that a task would read, and that do not exist."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from infrastructure.constructs.release_files import find_secrets
from unit_tests.contract.recorded_build import Build

NONE = "An error occurred (InvalidResourceId) when calling the ListTagsForResource operation"
LISTED = "aws ssm list-tags-for-resource --resource-type Parameter --resource-id "


def release(folder: Path, *names: str) -> Build:
    """Return the build of a service with these secrets."""
    (folder / "platform").mkdir()
    shutil.copy(find_secrets.__file__, folder / "platform")
    stored = [{"name": name, "valueFrom": f"/orders-dev/{name}"} for name in names]
    container = {"name": "app", **({"secrets": stored} if stored else {})}
    (folder / "taskdef.json").write_text(json.dumps({"containerDefinitions": [container]}))
    build = Build(folder)
    build.environment["PLATFORM"] = str(folder / "platform")
    build.answer()
    return build


def test_a_build_goes_on_when_every_parameter_exists_and_reads_no_value(tmp_path: Path) -> None:
    build = release(tmp_path, "API_KEY", "LOG_LEVEL")
    done = build.run("find_secrets.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert [call for call, _ in build.calls] == [
        f"{LISTED}/orders-dev/{one}" for one in ("API_KEY", "LOG_LEVEL")
    ]


def test_a_service_without_secrets_calls_nothing(tmp_path: Path) -> None:
    build = release(tmp_path)
    assert build.run("find_secrets.py").returncode == 0
    assert build.calls == []


@pytest.mark.parametrize("missing", ["API_KEY", "LOG_LEVEL"])
def test_a_missing_parameter_stops_the_build_with_the_command_that_sets_it(
    tmp_path: Path, missing: str
) -> None:
    """Else CodeDeploy waits an hour for tasks that cannot start (pitfall E3)."""
    build = release(tmp_path, "API_KEY", "LOG_LEVEL")
    build.answer((f"/orders-dev/{missing}", NONE, 254))
    done = build.run("find_secrets.py")
    assert done.returncode == 1
    assert f"invalid ssm parameters: /orders-dev/{missing})" in done.stderr
    assert f"python -m operations secrets set orders-dev {missing}, then retry the stage" in done.stderr


def test_every_missing_parameter_is_named(tmp_path: Path) -> None:
    build = release(tmp_path, "A", "B")
    build.answer(("/A", NONE, 254), ("/B", NONE, 254))
    stderr = build.run("find_secrets.py").stderr
    commands = ", ".join(f"python -m operations secrets set orders-dev {one}" for one in "AB")
    assert f"run {commands}, then retry the stage" in stderr


def test_a_refused_call_is_no_missing_parameter(tmp_path: Path) -> None:
    build = release(tmp_path, "API_KEY")
    build.answer(("/API_KEY", "AccessDeniedException: not authorized", 254))
    done = build.run("find_secrets.py")
    assert done.returncode == 1
    assert done.stderr.startswith("cannot find out whether /orders-dev/API_KEY exists: AccessDenied")
