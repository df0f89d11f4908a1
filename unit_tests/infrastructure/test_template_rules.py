"""The templates comply with every rule, and a broken copy violates it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from unit_tests.infrastructure import template_rules
from unit_tests.infrastructure.broken_templates import BREAKS, Edit
from unit_tests.infrastructure.synthesized import Templates
from unit_tests.infrastructure.template_rules import RULES

EDITS = [(rule, type_, edit) for rule, edits in BREAKS.items() for type_, edit in edits]
# No edit of one resource breaks these; each has a test of its own below.
BROKEN_OTHERWISE = {
    "c7_no_template_uses_cloudformations_own_blue_green",
    "d6_tags_of_a_task_definition_have_their_permission",
    "k2_no_template_is_empty",
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("environment", ["templates", "other"])
def test_the_templates_comply_with_the_rule(
    name: str, environment: str, request: pytest.FixtureRequest
) -> None:
    RULES[name](request.getfixturevalue(environment))


@pytest.mark.parametrize(("rule", "type_", "edit"), EDITS, ids=[f"{each[0]}-{each[1]}" for each in EDITS])
def test_the_rule_rejects_a_broken_copy(templates: Templates, rule: str, type_: str, edit: Edit) -> None:
    broken = Templates(copy.deepcopy(dict(templates.by_part)))
    found = broken.resources(type_)
    assert found, "the edit no longer applies: update it"
    for resource in found:
        edit(resource.body)
    with pytest.raises((AssertionError, ValueError)):
        RULES[rule](broken)


@pytest.mark.parametrize(
    ("rule", "edit"),
    [
        (
            "c7_no_template_uses_cloudformations_own_blue_green",
            lambda parts: parts["compute"].update(Hooks={"Release": {"Type": "AWS::CodeDeploy::BlueGreen"}}),
        ),
        (
            "c7_no_template_uses_cloudformations_own_blue_green",
            lambda parts: parts["root"].update(Transform=["AWS::CodeDeployBlueGreen"]),
        ),
        ("k2_no_template_is_empty", lambda parts: parts.update(access={"Resources": {}})),
    ],
)
def test_the_rule_rejects_a_broken_template(
    templates: Templates, rule: str, edit: Callable[[dict[str, Any]], object]
) -> None:
    parts = copy.deepcopy(dict(templates.by_part))
    edit(parts)
    with pytest.raises(AssertionError):
        RULES[rule](Templates(parts))


def test_a_tagged_task_definition_needs_a_permission(
    templates: Templates, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "taskdef.json").write_text('{"tags": []}')
    monkeypatch.setattr(template_rules, "PROJECT", tmp_path)
    with pytest.raises(AssertionError):
        RULES["d6_tags_of_a_task_definition_have_their_permission"](templates)


def test_every_rule_has_a_broken_copy() -> None:
    assert set(BREAKS) == set(RULES)
    assert {rule for rule, edits in BREAKS.items() if not edits} == BROKEN_OTHERWISE
