"""The comparison of the synthesized templates with the deployed ones: settings that would be dropped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from operations import __main__ as command
from operations import immutable
from operations.dropped_settings import SETTINGS_GUARD
from unit_tests.infrastructure.synthesized import Templates
from unit_tests.operations.account_fakes import FakeAccount

DEPLOYED = {"notificationEmail": "ops@acme.org", "testTrafficCidr": "203.0.113.0/24"}


def guard(settings: dict[str, str], *drop: str) -> dict[str, Any]:
    properties = {"Settings": settings, "DropSettings": list(drop)}
    return {"Resources": {"Guard": {"Type": SETTINGS_GUARD, "Properties": properties}}}


def synthesized(folder: Path, root: dict[str, Any]) -> Path:
    stack = {
        "type": "aws:cloudformation:stack",
        "properties": {"stackName": "stack-dev", "templateFile": "root.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"Stack": stack}}))
    (folder / "root.json").write_text(json.dumps(root))
    return folder


def deployed(root: dict[str, Any]) -> FakeAccount:
    return FakeAccount(
        {
            ("cloudformation", "describe_stacks"): {"Stacks": [{"StackName": "stack-dev"}]},
            ("cloudformation", "list_stack_resources"): {"StackResourceSummaries": []},
            ("cloudformation", "get_template"): {"TemplateBody": root},
        }
    )


def test_a_setting_that_only_the_deployed_environment_has_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pitfall C11"""
    folder = synthesized(tmp_path, guard({"testTrafficCidr": "198.51.100.0/24"}))
    monkeypatch.setattr(command, "Account", lambda: deployed(guard(DEPLOYED)))
    assert command.main(["immutable", "dev", "--templates", str(folder)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("operations: notificationEmail (ops@acme.org) would be dropped")
    assert line.endswith("-c dropSettings=notificationEmail")


def test_a_version_of_the_app_without_the_guard_would_drop_all_settings(tmp_path: Path) -> None:
    folder = synthesized(tmp_path, {"Resources": {}})
    found = immutable.find("dev", deployed(guard(DEPLOYED)), folder)
    assert len(found) == len(DEPLOYED)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (guard(DEPLOYED), guard(DEPLOYED)),
        (guard({}), guard(DEPLOYED)),
        (guard(DEPLOYED), guard({}, *DEPLOYED)),
        ({"Resources": {}}, guard({})),
    ],
)
def test_a_setting_that_stays_or_that_may_be_dropped_is_no_finding(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert immutable.find("dev", deployed(before), synthesized(tmp_path, after)) == []


def test_the_templates_of_the_app_have_the_guard_with_its_settings(shared: Templates) -> None:
    assert "githubRepository" in shared.only(SETTINGS_GUARD).properties["Settings"]
