"""`python -m tools template-limits`: the templates beside CloudFormation's limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.__main__ import main as tools
from tools.template_limits import LIMITS, main
from unit_tests.infrastructure.synthesized import PARTS, Templates

NESTED = {
    "Type": "AWS::CloudFormation::Stack",
    "Metadata": {
        "aws:cdk:path": "Stack/Part.NestedStack/Part.NestedStackResource",
        "aws:asset:path": "part.json",
    },
}


def written(folder: Path, **part: dict[str, object]) -> Path:
    """A root with one nested template, whose sections are given."""
    root = {"Resources": {"Part": NESTED}}
    (folder / "Stack.template.json").write_text(json.dumps(root), "utf-8")
    (folder / "part.json").write_text(json.dumps({"Resources": {}} | part), "utf-8")
    return folder


def many(number: int, text: str = "") -> dict[str, object]:
    return {f"Id{index}": {"Type": "AWS::SNS::Topic", "Text": text} for index in range(number)}


def test_every_template_is_counted_beside_the_limits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, Resources=many(500), Outputs=many(3))
    assert main(folder) == 0
    head, root, part = capsys.readouterr().out.splitlines()
    assert head.split() == [
        "template",
        *" ".join(f"{name} / {most}" for name, most in LIMITS.items()).split(),
    ]
    assert root.split()[0] == "Stack"
    size = str((folder / "part.json").stat().st_size)
    assert part.split() == ["Stack/Part", size, "500", "0", "3"]


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ({"Resources": many(501)}, "Stack/Part has 501 resources; CloudFormation allows 500"),
        ({"Parameters": many(201)}, "Stack/Part has 201 parameters; CloudFormation allows 200"),
        ({"Outputs": many(201)}, "Stack/Part has 201 outputs; CloudFormation allows 200"),
    ],
)
def test_a_template_over_a_limit_is_named_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], part: dict[str, dict[str, object]], line: str
) -> None:
    assert main(written(tmp_path, **part)) == 1
    assert capsys.readouterr().err == f"error: {line}\n"


def test_a_template_of_more_than_a_megabyte_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(written(tmp_path, Resources=many(2, "x" * 500_000))) == 1
    assert "bytes; CloudFormation allows 1000000" in capsys.readouterr().err


def test_a_folder_without_templates_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tools(["template-limits", str(tmp_path)]) == 2
    assert "run `make synth`" in capsys.readouterr().err


@pytest.mark.parametrize("part", PARTS)
def test_each_of_our_templates_is_far_from_the_limits(templates: Templates, part: str) -> None:
    template = templates.by_part[part]
    assert 0 < len(template["Resources"]) < LIMITS["resources"] / 2
    assert len(template.get("Parameters", {})) < LIMITS["parameters"] / 2
    assert len(template.get("Outputs", {})) < LIMITS["outputs"] / 2
    assert len(json.dumps(template, indent=1)) < LIMITS["bytes"] / 2
