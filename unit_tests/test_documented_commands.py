"""Every command in the documents is one: its tool's own parser takes it, and one without a rule fails.

Commands are looked for in blocks and in code within a sentence; `BY_HAND` has what is not checked, and why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from integration_tests.support.markdown_commands import commands, spans
from tools.assembly import Assembly
from tools.synthesis import defaults
from unit_tests.assembly_cache import cached_assembly
from unit_tests.command_rules import BY_HAND, PROJECT, check

PAGES = ("*.md", "docs/**/*.md")
# It names commands that are gone.
PAST = {"CHANGELOG.md"}


def documented(found: Callable[[str], Iterator[str]]) -> list[tuple[str, str]]:
    found_pages = (path for pattern in PAGES for path in sorted(PROJECT.glob(pattern)))
    pages = [path for path in found_pages if path.name not in PAST]
    return [(path.name, one) for path in pages for one in dict.fromkeys(found(path.read_text("utf-8")))]


@pytest.mark.parametrize(("page", "command"), documented(commands))
def test_every_documented_command_is_one(page: str, command: str) -> None:
    check(command)


@pytest.mark.parametrize(("page", "command"), documented(spans))
def test_every_command_within_a_sentence_is_one(page: str, command: str) -> None:
    check(command)


def test_what_is_not_checked_is_still_written_somewhere() -> None:
    assert set(BY_HAND) <= {command for found in (commands, spans) for _, command in documented(found)}


@pytest.mark.parametrize(
    "wrong",
    [
        "make tests",
        "make",
        "operations gard",
        "operations guard dev --repairs",
        "python -m operations preflight",
        "python -m operation guard dev",
        "python -m tools docs --wright",
        "python -m tools nag --check",
        "python -m local_aws up --container",
        "pytest integration_test --live",
        "pytest integration_tests --alive",
        "git pull-request",
        "git push --forced",
        "cdk deploy -c suffix=dev",
        "cdk deploy --quick",
        "cdk deplay",
        "aws codepipeline get-pipeline-state --pipeline-name p",
        "aws deploy update-deployment-groups",
        "uv pip compile --hashes",
        "docker ps",
    ],
)
def test_a_command_that_is_none_is_noticed(wrong: str) -> None:
    with pytest.raises((AssertionError, SystemExit)):
        check(wrong)


def test_commands_are_found_in_blocks_and_across_lines() -> None:
    text = "Text\n\n    make a    # why\n    cdk deploy -c x=1 \\\n      --trust 1\n    not one\n\nmake b\n"
    assert list(commands(text)) == ["make a", "cdk deploy -c x=1 --trust 1"]


def test_commands_are_found_in_sentences_and_not_twice_in_blocks() -> None:
    blocks = "\n    echo `make b`\n\n```sh\n`make c`\n```\n"
    text = f"Say `make\na`, not `made`:\n{blocks}| `operations guard` |\n"
    assert list(spans(text)) == ["make a", "operations guard"]


def test_the_runbook_has_every_alarm_and_every_stage(templates_of_dev: dict[str, set[str]]) -> None:
    text = (PROJECT / "docs/operations.md").read_text("utf-8")
    headings = " ".join(re.findall(r"^## (.*)$", text, re.M))
    for name in templates_of_dev["alarms"]:
        assert re.sub(r"(-\d+)?-dev$", "", name) in headings
    for name in templates_of_dev["alarms of the deployment group"]:
        assert f"{{name={name}}}" in text, "the deployment group heeds it again"
    for stage in templates_of_dev["stages"]:
        assert f"The stage {stage} failed" in headings


@pytest.fixture(scope="module")
def templates_of_dev() -> dict[str, set[str]]:
    assembly = Assembly.read(cached_assembly(defaults()))
    (pipeline,) = assembly.resources("AWS::CodePipeline::Pipeline")
    (group,) = assembly.resources("AWS::CodeDeploy::DeploymentGroup")
    names = {
        alarm.id: alarm.properties["AlarmName"] for alarm in assembly.resources("AWS::CloudWatch::Alarm")
    }
    watched = [alarm["Name"]["Ref"] for alarm in group.properties["AlarmConfiguration"]["Alarms"]]
    return {
        "alarms": set(names.values()),
        "alarms of the deployment group": {names[id_] for id_ in watched},
        "stages": {stage["Name"] for stage in pipeline.properties["Stages"]},
    }
