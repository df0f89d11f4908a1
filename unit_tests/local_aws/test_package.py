"""local_aws is a package of its own: what it declares, and its console script."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DECLARED = tomllib.loads((PROJECT / "local_aws" / "pyproject.toml").read_text("utf-8"))["project"]
LOCK = (PROJECT / "requirements" / "dev.txt").read_text("utf-8")
# The modules of a distribution that has another name.
MODULES = {"pyyaml": "yaml"}
# A command, a folder of schemas, and what MiniStack imports without declaring it: no module of ours does.
NOT_IMPORTED = {"awscli", "cfn-lint", "cryptography"}


def third_party(sources: list[str]) -> set[str]:
    """Return the packages outside the standard library that modules import."""
    found = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"local_aws"}


def test_it_declares_exactly_what_it_imports() -> None:
    sources = [path.read_text("utf-8") for path in (PROJECT / "local_aws").rglob("*.py")]
    names = {re.split(r"[=<>]", each)[0] for each in DECLARED["dependencies"]} - NOT_IMPORTED
    assert third_party(sources) == {MODULES.get(name, name) for name in names}


def test_an_undeclared_import_is_found() -> None:
    """Negative control of the test above: at the top, and inside a function."""
    assert third_party(["import requests.auth", "def f():\n    from flask import Flask", "import os"]) == {
        "requests",
        "flask",
    }


def test_the_lock_has_its_dependencies_and_not_the_package() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.M))
    assert {re.split(r"[=<>]", each)[0] for each in DECLARED["dependencies"]} <= locked
    assert "local-aws" not in locked


def test_the_lock_has_a_hash_for_every_package_and_no_address() -> None:
    entries = re.split(r"\n(?=[a-z])", re.sub(r"^ *#.*\n", "", LOCK, flags=re.M))
    assert len(entries) > 50
    assert not [entry for entry in entries if "--hash=sha256:" not in entry]
    assert not re.search(r"://|^-e |^\.|--index-url", LOCK, re.M)


@pytest.mark.parametrize("command", ["script", "module"])
def test_it_starts_in_any_folder(command: str, tmp_path: Path) -> None:
    script = Path(sys.executable).parent / DECLARED["name"]
    starts = {
        "script": [str(script)],
        # `make setup` installs the package, so that a module of it starts anywhere too.
        "module": [sys.executable, "-m", "local_aws"],
    }
    done = subprocess.run(  # noqa: S603 - our own package
        [*starts[command], "status", "--state", "absent"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "local_aws: no local_aws is running with state folder absent\n"
    assert (done.returncode, done.stderr) == (1, "")


def test_the_console_script_is_that_of_this_checkout() -> None:
    (script,) = importlib.metadata.distribution("local-aws").entry_points
    assert script.load().__code__.co_filename == str(PROJECT / "local_aws" / "__main__.py")
