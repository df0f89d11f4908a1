"""What a newcomer reads first: the beginning of the README, and `make help`."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from infrastructure.constructs.release_files import install, try_image
from unit_tests.project_files import PROJECT

README = (PROJECT / "README.md").read_text("utf-8")
MAKEFILE = (PROJECT / "Makefile").read_text("utf-8")
# What other commands run, and the former names.
INNER = {"help", "setup", "lint", "types", "limits", "locks", "github", "templates", "iam", "stories"}


@pytest.fixture(scope="module")
def shown() -> str:
    """What `make help` prints."""
    kept = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    done = subprocess.run(
        ["make", "help"],  # noqa: S607 - the make of this machine
        cwd=PROJECT,
        env=kept,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_make_help_lists_every_command_below_what_it_is_for(shown: str) -> None:
    targets = {one for line in re.findall(r"^\.PHONY: ([a-z -]+)$", MAKEFILE, re.M) for one in line.split()}
    assert targets > INNER
    assert targets - INNER == targets & set(re.findall(r"\bmake ([a-z-]+)", shown))
    groups = [part.splitlines() for part in shown.split("\n\n")[:-1]]
    assert len(groups) > 2
    for heading, *lines in groups:
        assert re.fullmatch(r"[A-Z].*:", heading)
        assert all(line.startswith("  ") for line in lines)


@pytest.mark.parametrize("variable", ["SUFFIX", "PORT", "ARGS", "NAME"])
def test_make_help_names_each_variable_that_a_command_reads(variable: str, shown: str) -> None:
    assert f"$({variable})" in MAKEFILE
    assert re.search(rf"\b{variable}\b", shown)


def test_make_help_names_the_tests_of_one_service_and_the_exit_codes(shown: str) -> None:
    assert "make service-orders" in shown
    assert re.search(r'After "Error 1", .+; after "Error 2", ', shown)


@pytest.mark.parametrize(
    "words", ["Linux", "macOS", "WSL", "dev container", "needs a network", "few\nminutes", "1.5 GB"]
)
def test_the_readme_says_what_a_machine_needs_before_the_first_section(words: str) -> None:
    assert words in README.partition("\n## ")[0]


@pytest.mark.parametrize(
    "words",
    ["health path", "`smokePaths`", "port of `PORT`", "variables", "`X-Version`"],
)
def test_one_section_says_what_a_release_requires_of_a_service(words: str) -> None:
    """Build's messages point to it, and so does make new-service."""
    assert try_image.PAGE.startswith("docs/services.md of ")
    page = (PROJECT / "docs/services.md").read_text("utf-8")
    section = page.partition("\n## What a release requires of a service\n")[2].partition("\n## ")[0]
    assert words in section
    assert "make check-service NAME=orders" in page
    assert "make lock NAME=orders" in page


def test_the_readme_names_the_hosts_that_a_build_names_without_a_network() -> None:
    hosts = re.findall(r"[a-z]+(?:\.[a-z]+)+", install.NEEDS)
    assert {"pypi.org", "public.ecr.aws"} < set(hosts)
    assert [host for host in hosts if host not in README] == []
