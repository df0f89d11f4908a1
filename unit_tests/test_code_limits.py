"""How complex and how long a function may be, and how long a module, over every Python file here."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest
from radon.complexity import add_inner_blocks, cc_visit
from radon.visitors import Function

from unit_tests.project_files import FILES, PROJECT

COMPLEXITY = 10
FUNCTION_LINES = 40
MODULE_LINES = 300


def complex_functions(source: str) -> list[str]:
    """List the functions that radon finds too complex, methods and functions inside functions too.

    radon counts comprehensions and asserts, which ruff's C901 does not.
    """
    blocks = add_inner_blocks(cc_visit(source))
    return [
        f"{one.lineno} {one.fullname}: complexity {one.complexity}, at most {COMPLEXITY}"
        for one in blocks
        if isinstance(one, Function) and one.complexity > COMPLEXITY
    ]


def long_functions(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                found.append(f"{node.lineno} {node.name}: {lines} lines, at most {FUNCTION_LINES}")
    return found


def long_module(source: str) -> list[str]:
    lines = len(source.splitlines())
    return [f"1: {lines} lines, at most {MODULE_LINES}"] if lines > MODULE_LINES else []


@pytest.mark.parametrize("limit", [complex_functions, long_functions, long_module])
def test_every_function_and_module_keeps_the_limit(limit: Callable[[str], list[str]]) -> None:
    sources = {path: (PROJECT / path).read_text("utf-8") for path in FILES if path.suffix == ".py"}
    assert len(sources) > 300
    found = [f"{path}:{one}" for path, source in sources.items() for one in limit(source)]
    assert not found, "\n".join(["split these:", *found])


def test_a_comprehension_counts_as_a_loop_does() -> None:
    def over(operands: int) -> str:
        return f"def f(xs):\n    return [{' or '.join('x' * operands)} for x in xs]"

    assert complex_functions(over(9)) == []
    assert complex_functions(over(10)) == ["1 f: complexity 11, at most 10"]


def test_methods_and_functions_inside_functions_count() -> None:
    branches = "\n".join(f"            if x == {number}: return" for number in range(10))
    method = f"class C:\n    async def m(self, x):\n{branches}"
    assert complex_functions(method) == ["2 C.m: complexity 11, at most 10"]
    inner = f"def f():\n    def g():\n        def h(x):\n{branches}"
    assert [one.split(":")[1] for one in complex_functions(inner)] == [" complexity 11, at most 10"]


def test_an_assert_counts() -> None:
    assert complex_functions("def test_f():\n" + "    assert f()\n" * 9) == []
    assert complex_functions("def test_f():\n" + "    assert f()\n" * 10) == [
        "1 test_f: complexity 11, at most 10"
    ]


def test_a_long_function_and_a_long_module_are_found() -> None:
    call = "    f(\n        1,\n    )\n" * 13
    assert long_functions(f"def f():\n{call}") == []
    assert long_functions(f"async def f():\n    f()\n{call}") == ["1 f: 41 lines, at most 40"]
    assert long_module("x = 1\n" * 300) == []
    assert long_module("x = 1\n" * 301) == ["1: 301 lines, at most 300"]
