"""Where code, tests and documents cite an entry of docs/pitfalls.md, and what a cited entry is tested by."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from unit_tests.pitfalls_page import PROJECT, Pitfall

# `pitfall C5`, `pitfalls C1, C5`.
CITATION = r"\bpitfalls? ([A-Z]\d*(?:, [A-Z]\d*)*)\b"
CITED = re.compile(CITATION)
# How the docstring of a test begins that walks into a pitfall.
WALKS_INTO = re.compile(rf"{CITATION}: \S")
# `d1_the_image_is_named...` in a module of rules that a parametrized test runs, each seen broken.
RULE = re.compile(r"([a-n]\d*)_[a-z]")
TESTED = ("unit_tests", "integration_tests", "sample_service/tests")
ON_PURPOSE = PROJECT / "integration_tests" / "pitfalls"
WRITTEN = ("*.py", "*.md", "*.yml", "*.yaml", "*.toml", "Dockerfile", "Makefile")
# The examples of this module are no citations.
EXAMPLES = PROJECT / "unit_tests" / "test_pitfalls.py"


@dataclass(frozen=True)
class Found:
    """A test, or a rule that a test runs; `docstring` only of a test that is to walk into pitfalls."""

    name: str
    cites: frozenset[str]
    docstring: str | None = None

    @property
    def walks_into(self) -> frozenset[str]:
        """The pitfalls whose error it meets on purpose."""
        match = WALKS_INTO.match(self.docstring or "")
        return frozenset(match[1].split(", ")) if match else frozenset()


def cited(text: str) -> frozenset[str]:
    """Return the keys that a text cites."""
    return frozenset(key for keys in CITED.findall(text) for key in keys.split(", "))


def functions(source: str, *, rules: bool = False, on_purpose: bool = False) -> Iterator[Found]:
    """Yield the tests of a module, and with `rules` its rules, each with the pitfalls that it cites."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        named = RULE.match(node.name)
        if rules and named:
            yield Found(node.name, frozenset({named[1].upper()}))
        if node.name.startswith("test_"):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            cites = cited("\n".join(lines[first - 1 : node.end_lineno]))
            yield Found(node.name, cites, (ast.get_docstring(node) or "") if on_purpose else None)


@cache
def collected() -> tuple[Found, ...]:
    """Return every test of the project, and every rule."""
    found: list[Found] = []
    for room in TESTED:
        for path in sorted((PROJECT / room).rglob("*.py")):
            rules = path.name.endswith("_rules.py")
            if path != EXAMPLES and (rules or path.name.startswith("test_")):
                on_purpose = ON_PURPOSE in path.parents
                found += functions(path.read_text("utf-8"), rules=rules, on_purpose=on_purpose)
    return tuple(found)


def untested(pitfall: Pitfall, found: Iterable[Found]) -> Iterator[str]:
    """Say what is wrong with the part Test of an entry."""
    every = list(found)
    if not (pitfall.walkers or pitfall.holders or pitfall.reason):
        yield f"{pitfall.key} names no test, and does not say why"
    for name in pitfall.walkers:
        yield from _misnamed(pitfall.key, name, every, walks=True)
    for name in pitfall.holders:
        yield from _misnamed(pitfall.key, name, every, walks=False)
    yield from _unsaid(pitfall, [each.name for each in every if pitfall.key in each.walks_into])


def _misnamed(key: str, name: str, found: list[Found], *, walks: bool) -> Iterator[str]:
    same = [each for each in found if each.name == name]
    if len(same) != 1:
        yield f"{key} names {name}, of which there are {len(same)}"
    elif key not in same[0].cites:
        yield f"{key} names {name}, which does not cite it"
    elif (key in same[0].walks_into) != walks:
        yield f"{key} says that {name} {'walks into' if walks else 'holds'} it, which is not so"


def _unsaid(pitfall: Pitfall, walking: list[str]) -> Iterator[str]:
    if walking and not pitfall.walkers:
        yield f"{pitfall.key} does not say that {walking[0]} walks into it"
    if walking and pitfall.reason:
        yield f"{pitfall.key} says that no test walks into it, but {walking[0]} does"


def texts() -> Mapping[str, str]:
    """Return the project's own texts by their paths; what tools put beside them is left out."""
    paths = [path for pattern in WRITTEN for path in PROJECT.glob(pattern)]
    for room in sorted(PROJECT.iterdir()):
        if _is_ours(room):
            paths += [path for pattern in WRITTEN for path in room.rglob(pattern)]
    return {str(path.relative_to(PROJECT)): path.read_text("utf-8") for path in paths if path != EXAMPLES}


def _is_ours(room: Path) -> bool:
    return room.is_dir() and not room.is_symlink() and not room.name.startswith((".", "cdk.out", "node_"))


def unresolved(written: Mapping[str, str], keys: set[str]) -> set[str]:
    """Return the citations of entries that the page does not have, each with its path."""
    return {f"{path}: {key}" for path, text in written.items() for key in cited(text) - keys}
