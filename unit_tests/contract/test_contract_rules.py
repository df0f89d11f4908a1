"""The contract files comply with every rule, and a broken copy violates it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from unit_tests.contract.broken_copies import BREAKS
from unit_tests.contract.contract_files import FILES, ROOT, Contract
from unit_tests.contract.contract_rules import RULES

EDITS = [(rule, *edit) for rule, edits in BREAKS.items() for edit in edits]


@pytest.mark.parametrize("name", RULES)
def test_the_contract_files_comply_with_the_rule(name: str) -> None:
    RULES[name](Contract.read())


@pytest.mark.parametrize(("rule", "file", "old", "new"), EDITS)
def test_the_rule_rejects_a_broken_copy(tmp_path: Path, rule: str, file: str, old: str, new: str) -> None:
    for name in FILES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, tmp_path / name)
    text = (tmp_path / file).read_text()
    assert old in text, "the edit no longer applies: mend it"
    (tmp_path / file).write_text(text.replace(old, new))
    with pytest.raises((AssertionError, SyntaxError)):
        RULES[rule](Contract.read(tmp_path))


def test_every_rule_has_a_broken_copy() -> None:
    assert set(BREAKS) == set(RULES)
