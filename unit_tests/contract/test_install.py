"""A build without a network says so in its own output; a wrong pin is told as one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infrastructure.constructs.release_files import install
from operations.why.log_lines import significant

EXCERPTS = Path(__file__).parents[1] / "operations/why/excerpts"
OUT_OF_REACH = (EXCERPTS / "package-index-out-of-reach.txt").read_text("utf-8")
WRONG_PIN = (EXCERPTS / "requirement-that-does-not-exist.txt").read_text("utf-8")
LATE_ANSWER = OUT_OF_REACH.replace("(from versions: none)", "(from versions: 3.1.1, 3.1.2)")
# As BuildKit prints what runs in the Dockerfile.
IN_AN_IMAGE = "".join(f"#9 1.234 {line}\n" for line in OUT_OF_REACH.splitlines())


def installed(printed: str, code: int) -> subprocess.CompletedProcess[str]:
    """Run a stand-in for pip that prints a text and ends with a code."""
    pip = f"import sys; sys.stderr.write({printed!r}); sys.exit({code})"
    command = [sys.executable, "-I", install.__file__, sys.executable, "-c", pip]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own file


@pytest.mark.parametrize("printed", [OUT_OF_REACH, IN_AN_IMAGE])
def test_without_a_network_the_last_line_says_so_and_what_a_build_needs(printed: str) -> None:
    done = installed(printed, 1)
    assert (done.returncode, done.stdout) == (1, printed)
    assert done.stderr == (
        "the package index cannot be reached (NewConnectionError), so pip found no flask==3.1.3. A build "
        "needs HTTPS to pypi.org and files.pythonhosted.org, and to public.ecr.aws for its base image: check "
        "the network of the build, then retry the stage\n"
    )
    line = significant((done.stdout + done.stderr).splitlines())
    assert line is not None
    assert "cannot be reached (NewConnectionError)" in line.text


@pytest.mark.parametrize(("printed", "code"), [(WRONG_PIN, 1), (LATE_ANSWER, 1), (OUT_OF_REACH, 0), ("", 3)])
def test_a_wrong_pin_or_another_error_is_not_told_as_the_networks(printed: str, code: int) -> None:
    done = installed(printed, code)
    assert (done.returncode, done.stdout, done.stderr) == (code, printed, "")
