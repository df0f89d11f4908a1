"""The traps of AWS on this road: walked into, held by a test, or docs/known-differences.md says why not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).resolve()
PROJECT = HERE.parent.parent
# What `traps B6` in a comment or a test stands for.
TRAPS = {
    "A1": "ECS's service-linked role is missing in a fresh account, and the first cluster fails",
    "A2": "a fresh account may run no build at all",
    "A3": "CodeCommit was closed to new accounts from July 2024 to November 2025",
    "A4": "an account must be bootstrapped, and the CLI needs a maintained Node.js",
    "B1": "a service whose image repository is empty never becomes stable",
    "B2": "template, taskdef.json and appspec.yaml must agree on container, port and family",
    "B3": "a pipeline's first run fails on a repository without a branch",
    "B4": "a repository's seed is at most 20 MB, and read only when the repository is made",
    "B5": "the source action watches master unless told otherwise",
    "B6": "a pipeline runs by itself when it is made, and races the policies of its roles",
    "B7": "a service's target group must be behind a listener already",
    "B8": "the CDK opens a listener to the world, the test listener too",
    "C1": "ECS refuses an update of a CODE_DEPLOY service that names more than a few properties",
    "C2": "even tags and exec of such a service are set once and for all",
    "C3": "a service that names a revision of its task definition is updated with each",
    "C4": "a changed task definition of CloudFormation's is not deployed by `cdk deploy`",
    "C5": "a listener that CloudFormation rewrites sends its traffic to an empty group",
    "C6": "a changed target group is replaced, which the service cannot follow",
    "C7": "CloudFormation's blue/green hook is refused beside nested stacks",
    "C8": "scaling in the middle of a deployment fails it",
    "C9": "a service has one deployment group",
    "C10": "ECS has a blue/green of its own since 2025",
    "D1": "the image is named in imageDetail.json, whatever the CDK's docstring says",
    "D2": "the Deploy action fills its placeholders and takes only what RegisterTaskDefinition takes",
    "D3": "the Deploy action's artifact is at most 3 MB",
    "D4": "the files have fixed names, and an action's settings at most 1000 characters",
    "D5": "a missing permission of the Deploy action is told without its name",
    "D6": "a tagged task definition needs ecs:TagResource",
    "D7": "the CDK lets the Deploy action pass every role",
    "D8": "the CDK gives CodeDeploy a managed policy that is far too wide",
    "D9": "the build's role needs more than the pipeline knows of",
    "E1": "a source that is polled and has a rule starts each run twice",
    "E2": "the Deploy stage runs until the old tasks are gone, and a second deployment is refused",
    "E3": "tasks that do not become healthy hold the Deploy stage for an hour",
    "F1": "of the maintained build images one has Python 3.9",
    "F2": "Python 3.9 is past its end, so are the packages that still install on it",
    "F3": "docker build needs a privileged project",
    "F4": "a variable from a parameter that does not exist ends every build",
    "F5": "CloudFormation makes no SecureString",
    "F6": "Docker Hub limits pulls by address, and CodeBuild shares its addresses",
    "F7": "post_build runs after a failed build, and YAML reads a colon as a mapping",
    "F8": "CodeBuild makes a report group that no stack owns",
    "F9": "an immutable tag cannot move, and attestations count as images",
    "G1": "EventBridge cannot publish under AWS's own key, and says nothing",
    "G2": "a CodeStar notification rule needs a principal of its own",
    "G3": "an address that did not confirm hears nothing",
    "H1": "the CDK's Lambdas log to groups that never expire and stay",
    "H2": "a late line brings a deleted log group back",
    "H3": "Container Insights logs outside the stack",
    "H4": "an encrypted log group needs CloudWatch Logs in its key's policy",
    "H5": "the pipeline's task definitions and the SecureString are nobody's to delete",
    "H6": "a deleted key waits for a week at least",
    "H7": "access logs arrive after their bucket was emptied",
    "H8": "the CDK's own artifact bucket and key are retained",
    "I1": "after a release both listeners name both target groups",
    "I2": "a running deployment makes the deletion of its service fail",
    "I3": "a role that goes before its user leaves it undeletable",
    "I4": "a nested stack that stays leaves its parent in DELETE_FAILED",
    "I5": "network interfaces of Lambda and CodeBuild hold the subnets",
    "I6": "what holds something cannot be deleted, and the commits go without a word",
    "J1": "a private task reaches its first image only through NAT",
    "J2": "zones are named differently in each account, and not each has ARM",
    "J3": "a security group's rule across nested stacks makes a cycle",
    "K1": "a cycle between nested stacks passes `cdk synth`",
    "K2": "a nested stack without a resource is refused",
    "K3": "exports in nested stacks confuse the CLI's change sets",
    "K4": "cdk-nag 3 is used differently from 2",
    "K5": "a resource with a changed name cannot be replaced",
    "K6": "a nested stack's failure is told in its own events only",
    "L": "names have limits, the shortest is 32 characters",
    "M1": "another account needs the key, the bucket and the repository to admit it",
    "M2": "a trust in a role that does not exist yet is refused",
    "M3": "an account has one OIDC provider a URL",
    "M4": "GitHub's `sub` has two forms",
    "M5": "a workflow signs in with `id-token: write` and a current action",
    "N1": "a server that closes first makes the load balancer answer 502",
    "N2": "a task that stops must finish what it began",
    "N3": "the CDK ends the old tasks, and the way back, at once",
    "N4": "without alarms over both groups nothing rolls back",
    "N5": "a slim image has no curl to check its health with",
    "N6": "a hook that does not report fails the deployment after an hour",
}
CITED = re.compile(r"traps ((?:[A-N]\d*)(?:, [A-N]\d*)*)\b")
# `d1_the_image_is_named...` in a room of rules that a parametrized test runs, each seen broken.
RULE = re.compile(r"([a-n]\d*)_[a-z]")
# How the docstring of a test begins that walks into a trap.
WALKED_INTO = re.compile(r"traps ((?:[A-N]\d*)(?:, [A-N]\d*)*): \S")
ON_PURPOSE = PROJECT / "integration_tests" / "traps"
EXCUSE = re.compile(r"^- \*\*([A-N]\d*)\*\* (.+)", re.M)
TESTED = ("unit_tests", "integration_tests", "sample_service/tests")
WRITTEN = ("*.py", "*.md", "*.yml", "*.yaml", "*.toml", "Dockerfile", "Makefile")


def citations(source: str, *, rules: bool = False) -> set[str]:
    """Collect the traps that a module's tests cite; with `rules`, those that its rules are named after."""
    found: set[str] = set()
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        named = RULE.match(node.name)
        if rules and named:
            found.add(named[1].upper())
        if node.name.startswith("test_"):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found |= traps_in("\n".join(lines[first - 1 : node.end_lineno]))
    return found


def traps_in(text: str) -> set[str]:
    return {trap for cited in CITED.findall(text) for trap in cited.split(", ")}


@cache
def met() -> frozenset[str]:
    found: set[str] = set()
    for room in TESTED:
        for path in (PROJECT / room).rglob("*.py"):
            rules = path.name.endswith("_rules.py")
            # The examples of this module are no citations.
            if path != HERE and (rules or path.name.startswith("test_")):
                found |= citations(path.read_text("utf-8"), rules=rules)
    return frozenset(found)


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield the name and the docstring of each test that walks into traps."""
    for path in sorted(ON_PURPOSE.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield f"{path.name}::{node.name}", ast.get_docstring(node) or ""


@cache
def shown() -> frozenset[str]:
    """Collect the traps that tests walk into on purpose, to meet AWS's error in local_aws."""
    found = (WALKED_INTO.match(said) for _, said in docstrings())
    return frozenset(trap for match in found if match for trap in match[1].split(", "))


def table() -> str:
    """Return docs/known-differences.md's table of all traps, as the tests say it."""
    held = TRAPS.keys() - shown() - excused().keys()
    rows = {
        "walked into on purpose: AWS's error, and the shipped design passes": shown(),
        "held by tests of templates, contract files and parts": held,
        "neither, see below": excused().keys(),
    }
    lines = [
        f"| {how} | {len(traps)} | {', '.join(sorted(traps, key=order))} |" for how, traps in rows.items()
    ]
    return "\n".join([f"| of {len(TRAPS)} traps | number | which |", "|---|---|---|", *lines])


def order(trap: str) -> tuple[str, int]:
    """Sort B10 behind B9."""
    return trap[0], int(trap[1:] or 0)


@cache
def excused() -> dict[str, str]:
    return dict(EXCUSE.findall((PROJECT / "docs" / "known-differences.md").read_text("utf-8")))


def written() -> Iterator[Path]:
    """List the project's own texts; what tools put beside them is left out."""
    for pattern in WRITTEN:
        yield from PROJECT.glob(pattern)
        for room in sorted(PROJECT.iterdir()):
            if (
                room.is_dir()
                and not room.is_symlink()
                and not room.name.startswith((".", "cdk.out", "node_"))
            ):
                yield from room.rglob(pattern)


@pytest.mark.parametrize("trap", TRAPS)
def test_each_trap_is_met_by_a_test_or_excused_in_the_known_differences(trap: str) -> None:
    assert trap in met() or trap in excused(), f"{trap}: {TRAPS[trap]}"


def test_each_excuse_is_a_sentence_for_a_trap_that_no_test_walks_into() -> None:
    for trap, reason in excused().items():
        assert trap in TRAPS
        assert trap not in shown(), (
            f"a test walks into {trap}: take its line out of docs/known-differences.md"
        )
        assert len(reason.split()) > 4


def test_each_test_of_a_trap_says_first_which_it_is() -> None:
    silent = [name for name, said in docstrings() if not WALKED_INTO.match(said)]
    assert not silent, "their docstrings are to begin as `traps D1: what happens`"


def test_the_known_differences_say_how_each_trap_is_met() -> None:
    print(table())
    written_down = (PROJECT / "docs" / "known-differences.md").read_text("utf-8")
    assert table() in written_down, f"docs/known-differences.md is to say:\n{table()}"


def test_every_trap_that_is_cited_anywhere_is_one_of_these() -> None:
    unknown = {
        f"{path.relative_to(PROJECT)}: {trap}"
        for path in written()
        if path != HERE
        for trap in traps_in(path.read_text("utf-8")) - TRAPS.keys()
    }
    assert not unknown


@pytest.mark.parametrize(
    ("source", "cites"),
    [
        ('def test_x():\n    """Why (traps C5)."""', {"C5"}),
        ("def test_x():\n    pass  # traps C1, C2", {"C1", "C2"}),
        ("@mark('traps D1')\ndef test_x():\n    pass", {"D1"}),
        ("def test_x():\n    pass\n# traps C5", set()),
        ('"""traps C5"""\ndef helper():\n    """traps C5"""', set()),
        ('def test_x():\n    """What traps nobody (traps L)."""', {"L"}),
    ],
)
def test_only_what_stands_in_a_test_is_a_citation(source: str, cites: set[str]) -> None:
    assert citations(source) == cites


def test_a_rule_is_named_after_its_trap() -> None:
    assert citations("def d1_the_image(): ...\ndef fargate_accepts(): ...", rules=True) == {"D1"}
    assert citations("def d1_the_image(): ...") == set()
