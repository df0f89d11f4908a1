"""What may import what (docs/architecture.md): each room knows only what its work needs."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
ROOMS = ("infrastructure", "sample_service", "local_aws", "operations", "integration_tests")
CDK = {"aws_cdk", "constructs", "jsii"}
# The rooms above, and what stands on more than one of them.
NOBODY_IMPORTS = {"unit_tests", "bench", "app"}


@dataclass(frozen=True)
class Rule:
    """What one room may import besides the standard library and itself.

    `only` limits it to these packages; `never` forbids some when the room may use what it needs.
    `exceptions` names a file (or a folder) of the room that may import more.
    """

    only: set[str] | None = None
    never: set[str] = field(default_factory=set)
    exceptions: dict[str, set[str]] = field(default_factory=dict)


RULES = {
    "infrastructure": Rule(
        only=CDK,
        exceptions={
            "nag.py": {"cdk_nag"},
            "authorization.py": {"policy_sentry"},
            # The hook's code is Lambda's to run: the CDK uploads it, and nothing here imports it.
            "traffic_hook_code": {"boto3", "botocore"},
        },
    ),
    "sample_service": Rule(
        only={"flask", "werkzeug", "greeter"}, exceptions={"tests": {"pytest", "conftest", "slow"}}
    ),
    # It learns everything from the API calls and files it is given, as AWS does.
    "local_aws": Rule(never={*ROOMS, *CDK}),
    # It finds everything by the suffix.
    "operations": Rule(only={"boto3", "botocore", "tenacity", "rich"}),
    "integration_tests": Rule(
        only={
            "boto3",
            "botocore",
            "requests",
            "tenacity",
            "rich",
            "pytest",
            "operations",
            "infrastructure.outputs",
        },
        # Who starts local_aws, who writes a page, who serves one, who changes a buildspec.
        exceptions={
            "local.py": {"local_aws"},
            "report": {"jinja2"},
            "page": {"aiohttp"},
            "builds.py": {"yaml"},
        },
    ),
}
STANDARD_LIBRARY_ONLY = (
    "access_keys.py",
    "config.py",
    "context_key.py",
    "environments.py",
    "errors.py",
    "limits.py",
    "naming.py",
    "outputs.py",
    "placeholder.py",
)


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


def imports_of_room(room: str) -> list[Import]:
    folder = PROJECT / room
    files = [path for path in folder.rglob("*.py") if "__pycache__" not in path.parts]
    return [each for path in files for each in imports_of(path.read_text("utf-8"), path.relative_to(folder))]


def breaks(room: str, imported: Import) -> bool:
    """Say whether an import breaks its room's rule."""
    rule = RULES[room]
    if imported.package == room or imported.package in sys.stdlib_module_names:
        return False
    more = {
        name for place, names in rule.exceptions.items() if place in imported.file.parts for name in names
    }
    if imported.package in more:
        return False
    if rule.only is None:
        return imported.package in rule.never | NOBODY_IMPORTS
    return not any(imported.name == name or imported.name.startswith(f"{name}.") for name in rule.only)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_its_rule_allows(room: str) -> None:
    if not (PROJECT / room).is_dir():
        pytest.skip(f"{room} does not exist yet")
    found = imports_of_room(room)
    assert found
    assert not [f"{room}/{each.file}:{each.line} {each.name}" for each in found if breaks(room, each)]


@pytest.mark.parametrize(
    ("room", "file", "source"),
    [
        ("infrastructure", "network_stack.py", "import boto3"),
        ("infrastructure", "network_stack.py", "from cdk_nag import AwsSolutionsChecks"),
        ("infrastructure", "permissions/rules.py", "from policy_sentry.querying import actions"),
        ("infrastructure", "network_stack.py", "from local_aws.clock import Clock"),
        ("sample_service", "greeter/routes.py", "import boto3"),
        ("sample_service", "greeter/routes.py", "import pytest"),
        ("local_aws", "ecs.py", "def f():\n    from infrastructure.naming import Names"),
        ("local_aws", "ecs.py", "import aws_cdk"),
        ("operations", "destroy.py", "import infrastructure.outputs"),
        ("operations", "destroy.py", "from local_aws import server"),
        ("integration_tests", "story.py", "from local_aws import server"),
        ("integration_tests", "story.py", "from infrastructure.naming import Names"),
        ("integration_tests", "story.py", "from infrastructure.outputs_of_old import x"),
    ],
)
def test_a_forbidden_import_is_seen(room: str, file: str, source: str) -> None:
    """Negative control of the test above."""
    (imported,) = imports_of(source, Path(file))
    assert breaks(room, imported)


@pytest.mark.parametrize(
    ("room", "file", "source"),
    [
        ("infrastructure", "nag.py", "from cdk_nag import AwsSolutionsChecks"),
        ("local_aws", "ecs.py", "import aiohttp"),
        ("integration_tests", "story.py", "from infrastructure.outputs import Outputs"),
        ("integration_tests", "local.py", "from local_aws import server"),
    ],
)
def test_an_allowed_import_is_let_pass(room: str, file: str, source: str) -> None:
    (imported,) = imports_of(source, Path(file))
    assert not breaks(room, imported)


def test_only_the_root_stack_imports_the_other_stacks() -> None:
    found = [
        each
        for each in imports_of_room("infrastructure")
        if each.package == "infrastructure" and each.name.split(".")[1].endswith("_stack")
    ]
    importers = {str(each.file) for each in found if ".root_stack." not in each.name}
    assert importers == {"root_stack.py"}


@pytest.mark.parametrize("name", STANDARD_LIBRARY_ONLY)
def test_what_others_read_of_infrastructure_needs_the_standard_library_only(name: str) -> None:
    path = PROJECT / "infrastructure" / name
    packages = {each.package for each in imports_of(path.read_text("utf-8"), path)}
    assert packages <= sys.stdlib_module_names | {"infrastructure"}


def test_ministack_is_touched_in_its_adapter_alone() -> None:
    if not (PROJECT / "local_aws").is_dir():
        pytest.skip("local_aws does not exist yet")
    outside = [each for each in imports_of_room("local_aws") if each.file.parts[0] != "ministack"]
    found = {f"{each.file}: {each.name}" for each in outside if each.package == "ministack"}
    # The application that it serves is MiniStack's public face; every other name is private to the adapter.
    assert not {each for each in found if not each.endswith(": ministack.app.app")}


def test_nobody_below_app_py_reads_the_environment_or_the_context() -> None:
    for path in (PROJECT / "infrastructure").glob("*.py"):
        if path.name in ("placeholder.py", "nag.py"):
            continue  # One runs in a container; the other is an entry point, like app.py.
        source = path.read_text("utf-8")
        for reader in ("os.environ", "getenv", "try_get_context", "get_context"):
            assert reader not in source, path.name
