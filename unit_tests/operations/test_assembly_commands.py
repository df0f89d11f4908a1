"""What a cloud assembly would run on the machine that deploys it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from operations.assembly_commands import find_commands
from operations.errors import OperationsError
from tools.synthesis import defaults
from unit_tests.assembly_cache import cached_assembly

STACK = {"type": "aws:cloudformation:stack", "properties": {}}


def assembly(folder: Path, *, assets: Any = None, **artifacts: Any) -> Path:
    manifest = {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"Assets": manifest, **artifacts}}))
    (folder / "assets.json").write_text(json.dumps(assets or {"files": {}}))
    return folder


def test_an_asset_that_a_command_makes_is_found(tmp_path: Path) -> None:
    files = {"a1": {"source": {"path": "code"}}, "a2": {"source": {"executable": ["sh", "-c", "id"]}}}
    (found,) = find_commands(assembly(tmp_path, assets={"files": files}))
    assert 'asset a2 would run ["sh", "-c", "id"] with the credentials of the deployment' in found


def test_a_container_image_is_found_whichever_synthesizer_wrote_it(tmp_path: Path) -> None:
    (found,) = find_commands(assembly(tmp_path, assets={"dockerImages": {"a1": {"source": {}}}}))
    assert "a1 would build a container image" in found
    entry = {"type": "aws:cdk:asset", "data": {"packaging": "container-image", "path": "code"}}
    (tmp_path / "further.json").write_text(json.dumps({"/Stack/Image": [entry]}))
    further = {**STACK, "additionalMetadataFile": "further.json"}
    stacks = {"One": {**STACK, "metadata": {"/Stack/Other": [entry]}}, "Two": further}
    found = "\n".join(find_commands(assembly(tmp_path, **stacks)))
    assert "/Stack/Other would build a container image" in found
    assert "/Stack/Image would build a container image" in found


def test_what_the_app_never_makes_is_not_passed_over(tmp_path: Path) -> None:
    (found,) = find_commands(assembly(tmp_path, Inner={"type": "cdk:cloud-assembly", "properties": {}}))
    assert "artifact Inner of type cdk:cloud-assembly" in found


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperationsError, match="no cloud assembly that can be read"):
        find_commands(tmp_path)


def test_the_apps_own_assembly_runs_nothing() -> None:
    assert find_commands(cached_assembly(defaults())) == []
