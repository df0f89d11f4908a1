"""Dependabot looks into every folder that has a manifest of its kind, and into no other."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from unit_tests.project_files import FILES, PROJECT

UPDATES = {
    update["package-ecosystem"]: update
    for update in yaml.safe_load((PROJECT / ".github/dependabot.yml").read_text("utf-8"))["updates"]
}
FOLDERS = {path.parent for path in FILES}
PYTHON_MANIFESTS = {
    path for path in FILES if re.search(r"(^|/)pyproject\.toml$|requirements.*\.txt$", str(path))
}


def folders(update: dict[str, Any]) -> set[Path]:
    """Return the folders that an entry names, relative to the project; a name may be a glob."""
    found: set[Path] = set()
    for name in update.get("directories") or [update["directory"]]:
        named = {folder for folder in FOLDERS if fnmatch("/" if folder == Path() else f"/{folder}", name)}
        assert named, f"no folder is called {name}"
        found |= named
    return found


@pytest.mark.parametrize(("ecosystem", "manifest"), [("npm", "package-lock.json"), ("docker", "Dockerfile")])
def test_every_manifest_is_looked_at(ecosystem: str, manifest: str) -> None:
    assert folders(UPDATES[ecosystem]) == {path.parent for path in FILES if path.name == manifest}


def test_both_copies_of_the_workflow_are_changed_in_one_pull_request() -> None:
    """For actions, / means .github/workflows (dependabot-core, github_actions/file_fetcher.rb)."""
    holding = {path.parent for path in FILES if path.name == "ci-cd.yml"}
    assert holding == {Path(".github/workflows"), Path("lib")}
    assert folders(UPDATES["github-actions"]) == {Path(), Path("lib")}
    assert UPDATES["github-actions"]["groups"] == {"actions": {"patterns": ["*"]}}


def read_in(looked_at: set[Path]) -> set[Path]:
    """Return the Python manifests that Dependabot reads in these folders: requirements one level down too.

    As dependabot-core does it: python/lib/dependabot/python/shared_file_fetcher.rb.
    """
    return {
        path
        for path in PYTHON_MANIFESTS
        if path.parent in looked_at or (path.suffix == ".txt" and path.parent.parent in looked_at)
    }


def test_every_python_manifest_is_looked_at_but_those_for_python_3_9() -> None:
    assert UPDATES["pip"]["exclude-paths"] == ["sample_service/**"]
    rest = {path for path in PYTHON_MANIFESTS if path.parts[0] != "sample_service"}
    assert len(rest) >= 3
    assert rest <= read_in(folders(UPDATES["pip"]))


def test_no_image_changes_its_python_by_itself() -> None:
    (rule,) = UPDATES["docker"]["ignore"]
    assert rule["update-types"] == ["version-update:semver-major", "version-update:semver-minor"]
    for folder in folders(UPDATES["docker"]):
        text = (PROJECT / folder / "Dockerfile").read_text("utf-8")
        assert f"FROM public.ecr.aws/{rule['dependency-name']}:" in text
