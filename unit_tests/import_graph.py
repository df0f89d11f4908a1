"""Reads which module of the project imports which: at the top, under TYPE_CHECKING, or inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One import: the file, relative to its room, and the dotted name that it asks for."""

    file: Path
    line: int
    name: str

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]


def imports_of(source: str, file: Path) -> Iterator[Import]:
    """List every absolute import of a module, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (Import(file, node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def python_files(folder: Path) -> list[Path]:
    """List the Python files below a folder, at any depth."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imports_of_room(project: Path, room: str) -> list[Import]:
    """List the imports of every file of a room, at any depth."""
    folder = project / room
    return [
        each
        for path in python_files(folder)
        for each in imports_of(path.read_text("utf-8"), path.relative_to(folder))
    ]


def import_graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Map each module to those it imports, by dotted names; `sources` is what each module says."""
    graph: dict[str, set[str]] = {}
    for module, source in sources.items():
        named = (each.name for each in imports_of(source, Path(module)))
        found = (_module_of(name, sources) for name in named)
        graph[module] = {other for other in found if other is not None}
    return graph


def cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of one import cycle in their order, first and last the same, or none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def _module_of(name: str, modules: Mapping[str, str]) -> str | None:
    """Find the module that `from a.b import c` reads: `a.b.c` where that is a module, else `a.b`."""
    parent = name.rpartition(".")[0]
    return next((each for each in (name, parent) if each in modules), None)
