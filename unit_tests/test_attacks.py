"""docs/attacks.md lists every attack of integration_tests/attacks, and each test says which one it plays."""

from __future__ import annotations

import ast
import re

from harness.cloud import PROJECT

PAGE = PROJECT / "docs" / "attacks.md"
ROW = re.compile(r"^\| ([A-Z]\d+) \|(.*)\|$", re.M)
BEFORE = re.compile(r"succeeded|stopped|new")


def rows() -> dict[str, list[str]]:
    """Return the cells of each row, by the key of its attack."""
    found = ROW.findall(PAGE.read_text("utf-8"))
    assert len({key for key, _ in found}) == len(found), "a key stands twice"
    return {key: [cell.strip() for cell in cells.split(" | ")] for key, cells in found}


def attack_tests() -> dict[str, str]:
    """Return the docstring of each test of the attack suite, by its name."""
    return {
        node.name: ast.get_docstring(node) or ""
        for path in sorted((PROJECT / "integration_tests" / "attacks").glob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_each_row_is_whole_and_its_test_plays_that_attack() -> None:
    found = attack_tests()
    for key, cells in rows().items():
        assert len(cells) == 5, key
        assert all(cells), key
        assert BEFORE.match(cells[1]), f"{key}: before is to begin with succeeded, stopped or new"
        named = re.findall(r"`(test_\w+)`", cells[-1])
        assert named, key
        for name in named:
            assert re.match(rf"attacks? [^:]*\b{key}\b", found.get(name, "")), f"{name} does not play {key}"


def test_each_test_of_the_suite_plays_an_attack_of_the_page() -> None:
    known = rows()
    for name, docstring in attack_tests().items():
        played = re.match(r"attacks? ([A-Z]\d+(?:, [A-Z]\d+)*): ", docstring)
        assert played, f"{name}: its docstring is to begin as `attack C1: what is tried`"
        for key in played[1].split(", "):
            assert f"`{name}`" in known[key][-1], f"docs/attacks.md does not name {name} for {key}"
