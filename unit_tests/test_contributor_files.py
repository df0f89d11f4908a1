"""What contributors are given names files that exist, and says everywhere the same."""

from __future__ import annotations

import re
import tomllib
from configparser import ConfigParser
from typing import Any

import pytest
import yaml

from unit_tests.project_files import FILES, PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
MAKEFILE = (PROJECT / "Makefile").read_text("utf-8")


@pytest.fixture(scope="module")
def hooks() -> list[dict[str, Any]]:
    configuration = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text("utf-8"))
    (repository,) = configuration["repos"]
    assert repository["repo"] == "local", "the tools are the locked ones"
    return list(repository["hooks"])


def test_every_part_of_make_check_is_a_hook(hooks: list[dict[str, Any]]) -> None:
    (parts,) = re.findall(r"^check: (.*)$", MAKEFILE, re.M)
    assert [hook["entry"].split() for hook in hooks] == [
        ["make", "--no-print-directory", part] for part in parts.split()
    ]


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("lint", "unit_tests/test_workflow.py"),
        ("lint", ".devcontainer/Dockerfile"),
        ("types", "requirements/dev.txt"),
        ("limits", "unit_tests/test_workflow.py"),
        ("locks", "sample_service/requirements.txt"),
        ("github", "lib/ci-cd.yml"),
        ("github", ".github/ISSUE_TEMPLATE/bug.yml"),
    ],
)
def test_a_hook_runs_for_the_files_that_its_part_reads(
    hooks: list[dict[str, Any]], part: str, changed: str
) -> None:
    (pattern,) = (hook["files"] for hook in hooks if hook["id"] == part)
    assert (PROJECT / changed).is_file()
    assert re.search(pattern, changed)
    assert not re.search(pattern, "docs/cost.md")


def test_every_owned_path_exists_and_has_owners() -> None:
    lines = (PROJECT / ".github/CODEOWNERS").read_text("utf-8").splitlines()
    rules = [line.split() for line in lines if line and line[0] != "#"]
    assert rules[0][0] == "*", "the last match decides, so the default is the first"
    for pattern, *owners in rules[1:]:
        assert pattern[0] == "/"
        path = PROJECT / pattern.strip("/")
        assert path.is_dir() if pattern[-1] == "/" else path.is_file(), pattern
        assert owners
    assert all(re.fullmatch(r"@OWNER/[a-z-]+", owner) for _, *owners in rules for owner in owners)


def test_editors_are_told_what_ruff_and_make_enforce() -> None:
    parser = ConfigParser()
    parser.read_string("[top]\n" + (PROJECT / ".editorconfig").read_text("utf-8"))
    assert parser["*.py"].getint("max_line_length") == PYPROJECT["tool"]["ruff"]["line-length"]
    assert parser["Makefile"]["indent_style"] == "tab"


def test_every_text_file_is_as_editors_are_told() -> None:
    contents = {path: (PROJECT / path).read_bytes() for path in FILES if path.name != "LICENSE"}
    texts = {path: content for path, content in contents.items() if content and b"\0" not in content}
    assert len(texts) > 300
    assert not [str(path) for path, text in texts.items() if text[-1:] != b"\n" or b"\r" in text]
    assert not [str(path) for path, text in texts.items() if re.search(rb"[ \t]$", text, re.M)]


def test_coverage_measures_every_package_of_ours_and_its_branches() -> None:
    packages = {path.parts[0] for path in FILES if path.name == "__init__.py" and len(path.parts) == 2}
    run = PYPROJECT["tool"]["coverage"]["run"]
    assert set(run["source_dirs"]) == packages - {"integration_tests", "unit_tests"}
    assert run["branch"] is True


def test_contributors_are_told_of_every_folder_and_of_none_that_is_not_there() -> None:
    text = (PROJECT / "CONTRIBUTING.md").read_text("utf-8")
    table = text[text.index("## Where things are") : text.index("## Words")]
    told = set()
    for names, about in re.findall(r"^\| (`.*`) \| (.*) \|$", table, re.M):
        first, *others = re.findall(r"`([^`]+)`", names)
        # A folder that the second column names is one of the row's own.
        told |= {first, *others} | {first + name for name in re.findall(r"`(\w+/)`", about)}
    assert not [name for name in sorted(told) if not (PROJECT / name).exists()]
    top = {f"{path.parts[0]}/" for path in FILES if len(path.parts) > 1 and path.parts[0][0] != "."}
    assert top - {f"{name.partition('/')[0]}/" for name in told if "/" in name} == {"requirements/"}
