"""The Dockerfile: the findings of hadolint, and what it copies."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from unit_tests.contract.contract_files import ROOT, Contract

HADOLINT = Path(sys.executable).with_name("hadolint")
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# The tag and the digest of the base image.
(TAG,) = re.findall(r"^FROM \S+?(:3\.9-slim@sha256:[0-9a-f]{64})$", DOCKERFILE, re.M)


def lint(dockerfile: Path) -> subprocess.CompletedProcess[str]:
    """Run hadolint on `dockerfile`, without the user's own configuration."""
    return subprocess.run(  # noqa: S603 - the tool of this virtual environment.
        [str(HADOLINT), "--no-color", str(dockerfile)],
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_hadolint_finds_nothing() -> None:
    result = lint(ROOT / "Dockerfile")
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (TAG, "", "DL3006"),
        ("--no-cache-dir ", "", "DL3042"),
        ('CMD ["gunicorn"', 'CMD gunicorn #"', "DL3025"),
        ("WORKDIR /srv", "WORKDIR srv", "DL3000"),
    ],
)
def test_hadolint_rejects_a_worse_copy(tmp_path: Path, old: str, new: str, rule: str) -> None:
    assert old in DOCKERFILE
    (tmp_path / "Dockerfile").write_text(DOCKERFILE.replace(old, new))
    result = lint(tmp_path / "Dockerfile")
    assert result.returncode == 1
    assert rule in result.stdout


def copied(contract: Contract) -> list[str]:
    """Return every source of every COPY."""
    lines = re.findall(r"^COPY (.+)$", contract.dockerfile, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_everything_that_is_copied_exists_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    sources = copied(Contract.read())
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignored, source


def test_requirements_are_installed_before_the_service_is_copied() -> None:
    dockerfile = Contract.read().dockerfile
    assert dockerfile.index("pip install") < dockerfile.index("COPY sample_service/greeter")


def test_tests_and_their_requirements_stay_out_of_the_image() -> None:
    sources = copied(Contract.read())
    assert sources
    assert not any(source.rstrip("/") in ("sample_service", ".") or "dev" in source for source in sources)
