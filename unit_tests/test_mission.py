"""docs/mission.md answers every requirement, and every file, output and test that it names exists."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from infrastructure.outputs import Outputs
from unit_tests.pitfall_citations import collected
from unit_tests.project_files import FILES, PROJECT

PAGE = (PROJECT / "docs" / "mission.md").read_text("utf-8")
ROW = re.compile(r"^\| R(\d+) \| (.+) \| (.+) \| (.+) \|$", re.M)
CODE = re.compile(r"`([^`]+)`")
# R1 to R57, as they were asked for.
NUMBERS = list(range(1, 58))
# R56. Each is a dependency of the project or of the sample service.
PACKAGES = {"aws-cdk-lib", "constructs", "flask", "gunicorn", "pytest", "boto3", "requests", "tenacity"}


@dataclass(frozen=True)
class Row:
    """One requirement: what it says, where it is met, and what proves it."""

    number: int
    requirement: str
    where: str
    proof: str


def rows(page: str) -> list[Row]:
    return [Row(int(number), *rest) for number, *rest in ROW.findall(page)]


def faults(row: Row, tests: Mapping[str, int]) -> list[str]:
    """Say what is wrong with a row: a file, an output or a test that does not exist, or no proof."""
    files, _, outputs = row.where.partition("; output")
    found = [f"there is no file {path}" for path in CODE.findall(files) if not _is_ours(path)]
    found += [f"there is no output {name}" for name in set(CODE.findall(outputs)) - OUTPUTS]
    found += [f"there are {tests.get(name, 0)} tests {name}" for name in _unclear(row.proof, tests)]
    if not (CODE.search(files) and CODE.search(row.proof)):
        found.append("it names no file or no test")
    return [f"R{row.number}: {fault}" for fault in found]


def _unclear(proof: str, tests: Mapping[str, int]) -> list[str]:
    return [name for name in CODE.findall(proof) if tests.get(name, 0) != 1]


def _is_ours(path: str) -> bool:
    return (PROJECT / path).exists() and any(str(file).startswith(path) for file in FILES)


TESTS = Counter(each.name for each in collected())
OUTPUTS = set(Outputs.keys())
ROWS = rows(PAGE)


def test_every_requirement_is_on_the_page_once_and_in_order() -> None:
    assert [row.number for row in ROWS] == NUMBERS


@pytest.mark.parametrize("row", ROWS, ids=[f"R{row.number}" for row in ROWS])
def test_every_file_output_and_test_of_a_requirement_exists(row: Row) -> None:
    assert faults(row, TESTS) == []


@pytest.mark.parametrize(
    ("where", "proof", "fault"),
    [
        ("`app.py`", "`test_of_nothing`", "there are 0 tests test_of_nothing"),
        ("`app.py`", "`test_of_two`", "there are 2 tests test_of_two"),
        ("`gone.py`", "`test_one`", "there is no file gone.py"),
        ("`.venv`", "`test_one`", "there is no file .venv"),
        ("`app.py`; output `PipelineUrl`", "`test_one`", "there is no output PipelineUrl"),
        ("the app", "`test_one`", "it names no file or no test"),
        ("`app.py`", "tested by hand", "it names no file or no test"),
    ],
)
def test_a_row_that_is_wrong_is_noticed(where: str, proof: str, fault: str) -> None:
    (row,) = rows(f"| R7 | It works | {where} | {proof} |")
    assert faults(row, {"test_one": 1, "test_of_two": 2}) == [f"R7: {fault}"]


def test_a_row_that_is_right_has_no_fault() -> None:
    (row,) = rows("| R7 | It works | `app.py`, `docs/`; outputs `PipelineArn`, `ServiceUrl` | `test_one` |")
    assert faults(row, {"test_one": 1}) == []


def test_the_packages_of_the_order_are_required() -> None:
    required: set[str] = set()
    for path in (PROJECT / "pyproject.toml", PROJECT / "sample_service" / "pyproject.toml"):
        data = tomllib.loads(path.read_text("utf-8"))
        for listed in (data["project"]["dependencies"], *data.get("dependency-groups", {}).values()):
            required |= {re.split(r"[^A-Za-z0-9_-]", each)[0].lower() for each in listed}
    assert required >= PACKAGES
