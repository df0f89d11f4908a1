"""What may import what (docs/architecture.md): each room knows only what its work needs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from unit_tests.import_graph import Import, cycle, import_graph, imports_of, imports_of_room, python_files

PROJECT = Path(__file__).resolve().parent.parent
CDK = {"aws_cdk", "constructs", "jsii"}


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
        # What Lambda and CodeBuild run: the CDK uploads it, and nothing here imports it.
        exceptions={
            "constructs/traffic_hook/function": {"boto3", "botocore"},
            "constructs/build_retry/function": {"boto3", "botocore"},
            "constructs/deployment_guard/function": {"boto3", "botocore"},
            "constructs/drift_check/function": {"boto3", "botocore"},
            "constructs/image_keeper/function": {"boto3", "botocore"},
            "constructs/image_signing": {"boto3", "botocore"},
            "constructs/scaling/function": {"boto3", "botocore"},
            "constructs/settings_guard/function": {"boto3", "botocore"},
        },
    ),
    "tools": Rule(
        only={"infrastructure", *CDK},
        exceptions={"nag.py": {"cdk_nag"}, "iam_docs/authorization.py": {"policy_sentry"}},
    ),
    "sample_service": Rule(
        only={"flask", "werkzeug", "greeter"}, exceptions={"tests": {"pytest", "conftest", "slow"}}
    ),
    # It learns everything from the API calls and files it is given, as AWS does.
    "local_aws": Rule(
        never={
            *("infrastructure", "tools", "sample_service", "operations", "harness", "integration_tests"),
            *("benchmarks", "unit_tests", "app", *CDK),
        }
    ),
    # It finds everything by the suffix.
    "operations": Rule(only={"boto3", "botocore", "tenacity", "rich"}),
    "harness": Rule(
        only={
            *("boto3", "botocore", "requests", "urllib3", "tenacity", "rich"),
            *("operations", "infrastructure.outputs"),
        },
        # Who starts local_aws, who writes a page, who serves one.
        exceptions={"local.py": {"local_aws"}, "report": {"jinja2"}, "dashboard": {"aiohttp"}},
    ),
    "integration_tests": Rule(
        only={"boto3", "botocore", "requests", "tenacity", "pytest", "harness", "operations"},
        # Who changes a buildspec, who signs, who is an app of the CDK.
        exceptions={
            "pitfalls/builds.py": {"yaml"},
            "rehearsal": {"aiohttp", "cryptography", "yarl"},
            "other_apps": {"aws_cdk", "constructs"},
        },
    ),
    "benchmarks": Rule(
        only={
            "aiohttp",
            "boto3",
            "botocore",
            "rich",
            "operations",
            "harness",
            "tools",
            "infrastructure",
            *CDK,
        }
    ),
}
# What others read of infrastructure, and what runs where only Python is installed.
STANDARD_LIBRARY_ONLY = (
    "infrastructure/config",
    "infrastructure/constructs/bootstrap_server.py",
    "infrastructure/constructs/release_files/fill.py",
    "infrastructure/constructs/release_files/install.py",
    "infrastructure/constructs/release_files/try_image.py",
    "infrastructure/errors.py",
    "infrastructure/naming.py",
    "infrastructure/outputs.py",
    "tools/assembly.py",
    "tools/template_limits.py",
)
# Entry points, and what a container runs.
READS_THE_ENVIRONMENT = {
    "constructs/bootstrap_server.py",
    "constructs/image_copy/copy_image.py",
    "constructs/build_retry/function/handler.py",
    "constructs/deployment_guard/function/handler.py",
    "constructs/drift_check/function/handler.py",
    "constructs/image_keeper/function/handler.py",
    "constructs/image_signing/sign.py",
    "constructs/release_files/fill.py",
    "constructs/release_files/install.py",
    "constructs/release_files/try_image.py",
    "constructs/scaling/function/handler.py",
    "constructs/traffic_hook/function/handler.py",
}


def within(file: Path, place: str) -> bool:
    """Say whether a file of a room is `place`, or stands in that folder."""
    return file.as_posix() == place or file.as_posix().startswith(f"{place}/")


def breaks(room: str, imported: Import) -> bool:
    """Say whether an import breaks its room's rule."""
    rule = RULES[room]
    if imported.package == room or imported.package in sys.stdlib_module_names:
        return False
    more = {
        name for place, names in rule.exceptions.items() if within(imported.file, place) for name in names
    }
    if imported.package in more:
        return False
    if rule.only is None:
        return imported.package in rule.never
    return not any(imported.name == name or imported.name.startswith(f"{name}.") for name in rule.only)


def sources_of_rooms() -> dict[str, str]:
    """Read every module of every room, by its dotted name."""
    found = {}
    for room in RULES:
        for path in python_files(PROJECT / room):
            relative = path.relative_to(PROJECT).with_suffix("")
            parts = relative.parts[:-1] if relative.name == "__init__" else relative.parts
            found[".".join(parts)] = path.read_text("utf-8")
    return found


@pytest.mark.parametrize("room", sorted(RULES))
def test_a_room_imports_only_what_its_rule_allows(room: str) -> None:
    found = imports_of_room(PROJECT, room)
    assert found
    assert not [f"{room}/{each.file}:{each.line} {each.name}" for each in found if breaks(room, each)]


def test_every_room_has_a_rule() -> None:
    rooms = {path.parent.name for path in PROJECT.glob("*/__init__.py")}
    assert rooms - {"unit_tests"} == set(RULES) - {"sample_service"}


@pytest.mark.parametrize(
    ("room", "file", "source"),
    [
        ("infrastructure", "stacks/network.py", "import boto3"),
        ("infrastructure", "stacks/network.py", "from cdk_nag import AwsSolutionsChecks"),
        ("infrastructure", "stacks/network.py", "from local_aws.core.clock import Clock"),
        ("infrastructure", "stacks/network.py", "from tools.assembly import defaults"),
        ("tools", "iam_docs/rules.py", "from policy_sentry.querying import actions"),
        ("sample_service", "greeter/routes.py", "import boto3"),
        ("sample_service", "greeter/routes.py", "import pytest"),
        ("local_aws", "services/ecs/tasks.py", "def f():\n    from infrastructure.naming import Names"),
        ("local_aws", "services/ecs/tasks.py", "import aws_cdk"),
        ("operations", "destroy.py", "import infrastructure.outputs"),
        ("operations", "inventory/network.py", "from local_aws import server"),
        ("harness", "scenario.py", "from local_aws import daemon"),
        ("harness", "scenario.py", "from infrastructure.naming import Names"),
        ("harness", "scenario.py", "from infrastructure.outputs_of_old import x"),
        ("harness", "scenario.py", "import pytest"),
        ("integration_tests", "test_gates.py", "from local_aws import daemon"),
        ("integration_tests", "pitfalls/service.py", "import yaml"),
    ],
)
def test_a_forbidden_import_is_seen(room: str, file: str, source: str) -> None:
    """Negative control of the test above."""
    (imported,) = imports_of(source, Path(file))
    assert breaks(room, imported)


@pytest.mark.parametrize(
    ("room", "file", "source"),
    [
        ("tools", "nag.py", "from cdk_nag import AwsSolutionsChecks"),
        ("infrastructure", "constructs/traffic_hook/function/handler.py", "import boto3"),
        ("local_aws", "services/ecs/tasks.py", "import aiohttp"),
        ("harness", "scenario.py", "from infrastructure.outputs import Outputs"),
        ("harness", "local.py", "from local_aws import daemon"),
        ("integration_tests", "pitfalls/builds.py", "import yaml"),
    ],
)
def test_an_allowed_import_is_let_pass(room: str, file: str, source: str) -> None:
    (imported,) = imports_of(source, Path(file))
    assert not breaks(room, imported)


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert not cycle(import_graph(sources_of_rooms()))


@pytest.mark.parametrize(
    "sources",
    [
        {"a.b": "import a.c", "a.c": "from a import b"},
        {"a.b": "from a.c import x", "a.c": "def f():\n    from a.d import y", "a.d": "from a.b import z"},
        {
            "a.b": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a.c import x",
            "a.c": "import a.b",
        },
    ],
)
def test_a_cycle_is_seen(sources: Mapping[str, str]) -> None:
    """Negative control of the test above: at the top, inside a function, and for types only."""
    assert len(cycle(import_graph(sources))) == len(sources) + 1


def test_modules_that_import_one_another_in_one_direction_make_no_cycle() -> None:
    sources = {"a.b": "from a.c import x\nimport a.d", "a.c": "from a import d", "a.d": "import os"}
    assert not cycle(import_graph(sources))


def test_only_the_root_stack_imports_the_other_stacks() -> None:
    importers = {
        each.file.as_posix()
        for each in imports_of_room(PROJECT, "infrastructure")
        if each.name.startswith("infrastructure.stacks.")
    }
    assert importers == {"stacks/root.py"}


@pytest.mark.parametrize("place", STANDARD_LIBRARY_ONLY)
def test_what_others_read_of_infrastructure_needs_the_standard_library_only(place: str) -> None:
    path = PROJECT / place
    files = python_files(path) if path.is_dir() else [path]
    assert files
    imported = {each for file in files for each in imports_of(file.read_text("utf-8"), file)}
    modules = tuple(name.removesuffix(".py").replace("/", ".") for name in STANDARD_LIBRARY_ONLY)
    outside = {each.name for each in imported if each.package not in sys.stdlib_module_names}
    assert not {name for name in outside if not name.startswith(modules)}


def test_ministack_is_touched_in_its_adapter_alone() -> None:
    outside = [each for each in imports_of_room(PROJECT, "local_aws") if each.file.parts[0] != "ministack"]
    found = {f"{each.file}: {each.name}" for each in outside if each.package == "ministack"}
    # The application that it serves is MiniStack's public face; every other name is private to the adapter.
    assert not {each for each in found if not each.endswith(": ministack.app.app")}


def test_nobody_below_app_py_reads_the_environment_or_the_context() -> None:
    room = PROJECT / "infrastructure"
    paths = [
        path for path in python_files(room) if path.relative_to(room).as_posix() not in READS_THE_ENVIRONMENT
    ]
    assert len(paths) > 20
    for path in paths:
        source = path.read_text("utf-8")
        for reader in ("os.environ", "getenv", "try_get_context", "get_context"):
            assert reader not in source, path.name
