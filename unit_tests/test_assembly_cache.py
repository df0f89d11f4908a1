"""A configuration is synthesized once, and again when a source of it changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from unit_tests import assembly_cache
from unit_tests.assembly_cache import cached_assembly


@pytest.fixture
def synthesized(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Replace the synthesis by an empty folder; return the contexts that it was called with."""
    contexts: list[object] = []

    def synthesize(context: Mapping[str, object], folder: Path) -> None:
        contexts.append(context["environmentSuffix"])
        folder.mkdir()

    monkeypatch.setattr("tools.synthesis.synthesize", synthesize)
    return contexts


def test_each_context_is_synthesized_once(tmp_path: Path, synthesized: list[object]) -> None:
    folders = [cached_assembly({"environmentSuffix": suffix}, tmp_path) for suffix in ("dev", "prod", "dev")]
    assert folders[0] == folders[2] != folders[1]
    assert all(folder.is_dir() for folder in folders)
    assert synthesized == ["dev", "prod"]


def test_a_changed_source_is_synthesized_anew_and_the_old_assembly_is_deleted(
    tmp_path: Path, synthesized: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cached_assembly({"environmentSuffix": "dev"}, tmp_path)
    monkeypatch.setattr(assembly_cache, "sources_hash", lambda: "changed")
    after = cached_assembly({"environmentSuffix": "dev"}, tmp_path)
    assert synthesized == ["dev", "dev"]
    assert after.is_dir()
    assert not before.exists()


def test_a_synthesis_that_fails_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object, folder: Path) -> None:
        folder.mkdir()
        raise ValueError("not a configuration")

    monkeypatch.setattr("tools.synthesis.synthesize", fail)
    with pytest.raises(ValueError, match="not a configuration"):
        cached_assembly({"environmentSuffix": "dev"}, tmp_path)
    assert not [path for path in tmp_path.glob("*/*") if path.is_dir() and path.suffix != ".new"]


@pytest.mark.parametrize(
    "changed", ["cdk.json", "infrastructure/naming.py", "sample_service/gunicorn.conf.py"]
)
def test_the_hash_depends_on_what_a_template_is_made_of(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cdk.json", "infrastructure/naming.py", "sample_service/gunicorn.conf.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("before")
    monkeypatch.setattr(assembly_cache, "PROJECT", tmp_path)
    before = assembly_cache.sources_hash.__wrapped__()
    (tmp_path / changed).write_text("after")
    assert assembly_cache.sources_hash.__wrapped__() != before
