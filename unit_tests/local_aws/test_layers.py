"""What may import what inside local_aws: each package only those below it (docs/architecture.md)."""

from pathlib import Path

import pytest

from unit_tests.import_graph import Import, imports_of, imports_of_room

PROJECT = Path(__file__).resolve().parents[2]
# Package -> the packages that it may import. A service never imports another service.
LAYERS: dict[str, set[str]] = {
    "host": set(),
    "core": set(),
    "daemon": {"core", "host"},
    "persistence": {"core"},
    "containers": {"core", "host"},
    "services": {"core", "host", "containers"},
    "ministack": {"core", "services"},
    "iam": {"core", "ministack"},
    "server": {"core", "host", "daemon", "persistence", "containers", "services", "ministack", "iam"},
    "command_line": set(),
    "__main__": {"command_line", "core", "daemon", "host", "server"},
}


def layer(parts: tuple[str, ...]) -> tuple[str, str]:
    """Return the package of a module of local_aws, and the service if it belongs to one."""
    parts = tuple(part.removesuffix(".py") for part in parts)
    return parts[0], parts[1] if parts[0] == "services" and len(parts) > 1 else ""


def is_upward(imported: Import) -> bool:
    """Return whether an import reaches a package that is not below its own."""
    if imported.package != "local_aws":
        return False
    package, service = layer(imported.file.parts)
    target, other_service = layer(tuple(imported.name.split(".")[1:]))
    if package == target:
        return service != other_service
    return target not in LAYERS[package]


def test_a_package_imports_only_those_below_it() -> None:
    found = [each for each in imports_of_room(PROJECT, "local_aws") if each.package == "local_aws"]
    assert len(found) > 300
    assert not [f"{each.file}:{each.line} {each.name}" for each in found if is_upward(each)]


def test_every_package_has_a_layer() -> None:
    folder = PROJECT / "local_aws"
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert packages | modules == set(LAYERS)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("host/reaper.py", "from local_aws.containers.docker import cleanup"),
        ("host/disk.py", "from local_aws.core.clock import Clock"),
        ("core/api.py", "def f():\n    from local_aws.host import reaper"),
        ("persistence/snapshots.py", "from local_aws.daemon import find"),
        ("containers/engine.py", "from local_aws.services.ecs.service import Ecs"),
        ("services/ecs/service.py", "from local_aws.services.ecr.service import Ecr"),
        ("services/elbv2/service.py", "from local_aws.ministack import elbv2"),
        ("services/elbv2/service.py", "from local_aws import ministack"),
        ("ministack/trust_policies.py", "from local_aws.iam.documents import parse"),
        ("iam/account.py", "import local_aws.server.accounts"),
        ("server/gateway.py", "from local_aws import __main__"),
        ("daemon.py", "from local_aws.server.process import serve"),
    ],
)
def test_an_upward_import_is_found(file: str, source: str) -> None:
    """Negative control of the first test."""
    (imported,) = imports_of(source, Path(file))
    assert is_upward(imported)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("services/ecs/service.py", "from local_aws.services.ecs.tasks import Tasks"),
        ("ministack/elbv2.py", "from local_aws.services.elbv2 import validation"),
        ("server/accounts.py", "from local_aws import ministack"),
        ("__main__.py", "from local_aws.server.process import serve"),
        ("core/api.py", "import json"),
    ],
)
def test_a_downward_import_is_allowed(file: str, source: str) -> None:
    (imported,) = imports_of(source, Path(file))
    assert not is_upward(imported)
