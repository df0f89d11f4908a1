"""What may import what inside local_aws/containers: each part only those below it."""

from pathlib import Path

import pytest

from unit_tests.import_graph import Import, imports_of, imports_of_room

PROJECT = Path(__file__).resolve().parents[3]
PACKAGE = "local_aws.containers."
# Part -> the parts that it may import. A module of the folder itself, as engine.py, is a part of its own.
LAYERS: dict[str, set[str]] = {
    "relay": set(),
    "addresses": set(),
    "docker_script": set(),
    "images": set(),
    "engine": {"images"},
    "health": {"engine"},
    "processes": {"addresses", "engine", "images"},
    "docker_shim": {"addresses", "docker_script", "engine", "health", "images", "processes", "relay"},
    "docker": {"docker_script", "engine", "images", "relay"},
    # It joins the engines with what they need.
    "selection": {"docker", "docker_shim", "engine", "processes"},
}


def part(file: Path) -> str:
    return file.parts[0].removesuffix(".py")


def is_upward(imported: Import) -> bool:
    """Return whether an import reaches a part that is not below its own."""
    if not imported.name.startswith("local_aws.containers"):
        return False
    # `from local_aws.containers import relay` and `from local_aws.containers.relay import forward`.
    target = imported.name.removeprefix(PACKAGE).partition(".")[0]
    return target != part(imported.file) and target not in LAYERS[part(imported.file)]


def test_a_part_imports_only_those_below_it() -> None:
    found = [
        each
        for each in imports_of_room(PROJECT, "local_aws/containers")
        if each.name.startswith("local_aws.containers")
    ]
    assert len(found) > 50
    assert not [f"{each.file}:{each.line} {each.name}" for each in found if is_upward(each)]


def test_every_part_has_a_layer() -> None:
    folder = PROJECT / "local_aws/containers"
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert packages | modules == set(LAYERS)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("processes/engine.py", "from local_aws.containers.docker_shim import cli"),
        ("processes/engine.py", "def f():\n    from local_aws.containers.docker_shim.shim import DockerShim"),
        ("images/build.py", "from local_aws.containers.processes.container import ProcessPlan"),
        ("docker/build_cli.py", "from local_aws.containers.docker_shim.state import DockerError"),
        ("engine.py", "from local_aws.containers import selection"),
    ],
)
def test_an_upward_import_is_found(file: str, source: str) -> None:
    """Negative control of the first test."""
    (imported,) = imports_of(source, Path(file))
    assert is_upward(imported)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("docker_shim/run.py", "from local_aws.containers.processes.engine import make_plan"),
        ("docker_shim/run.py", "from local_aws.containers import relay"),
        ("images/build.py", "from local_aws.containers.images import layers"),
        ("images/store.py", "from local_aws.host.interpreters import find_python"),
    ],
)
def test_a_downward_import_is_allowed(file: str, source: str) -> None:
    (imported,) = imports_of(source, Path(file))
    assert not is_upward(imported)
