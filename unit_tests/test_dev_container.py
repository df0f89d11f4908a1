"""The dev container: a pinned Python that the project supports, and what `make demo` and `make test` need."""

from __future__ import annotations

import json
import re
import tomllib

from unit_tests.project_files import PROJECT

DEV_CONTAINER = json.loads((PROJECT / ".devcontainer/devcontainer.json").read_text("utf-8"))
MAKEFILE = (PROJECT / "Makefile").read_text("utf-8")


def test_it_is_built_of_a_pinned_python_that_this_project_supports() -> None:
    dockerfile = (PROJECT / ".devcontainer" / DEV_CONTAINER["build"]["dockerfile"]).read_text("utf-8")
    (image,) = re.findall(r"^FROM (\S+)$", dockerfile, re.M)
    version = re.fullmatch(r"public\.ecr\.aws/docker/library/python:(\d+)\.(\d+)\.\d+-slim-[a-z]+", image)
    assert version
    least = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert [int(part) for part in version.groups()] >= [int(part) for part in least[2:].split(".")]


def test_it_has_the_programs_that_the_first_steps_need() -> None:
    dockerfile = (PROJECT / ".devcontainer/Dockerfile").read_text("utf-8")
    (packages,) = re.findall(r"apt-get install -y --no-install-recommends \\\n +(.*) \\\n", dockerfile)
    assert {"git", "make", "chromium", "openssl", "sudo"} <= set(packages.split())


def test_what_make_sets_up_stays_in_volumes_that_make_clean_can_empty() -> None:
    mounts = [dict(part.split("=", 1) for part in mount.split(",")) for mount in DEV_CONTAINER["mounts"]]
    assert {mount["type"] for mount in mounts} == {"volume"}
    mounted = {mount["target"].removeprefix("${containerWorkspaceFolder}/") for mount in mounts}
    assert mounted == set(DEV_CONTAINER["onCreateCommand"][3:]), "each belongs to the user"
    (emptied,) = re.findall(r"for made in (.*); do", MAKEFILE)
    assert mounted == set(emptied.replace("$(VENV)", ".venv").split())
    assert {f"{name}/" for name in mounted} <= set((PROJECT / ".gitignore").read_text("utf-8").splitlines())


def test_it_sets_up_what_make_demo_needs_and_forwards_the_ports_of_make_up() -> None:
    (needed,) = re.findall(r"^demo: (.*)$", MAKEFILE, re.M)
    assert DEV_CONTAINER["postCreateCommand"] == ["make", *needed.split()]
    (port,) = re.findall(r"^PORT \?= (\d+)$", MAKEFILE, re.M)
    assert DEV_CONTAINER["forwardPorts"] == [int(port), int(port) + 1]
    assert DEV_CONTAINER["containerEnv"] == {"LOCAL_AWS_CONTAINERS": "processes"}, "no Docker in Docker"
