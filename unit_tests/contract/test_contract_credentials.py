"""The passwords of Docker Hub and ECR in the build: passed to `docker login`, and not visible elsewhere."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from unit_tests.contract.contract_files import ENVIRONMENT, ROOT
from unit_tests.contract.recorded_build import Build

# Without a character that a shell quotes when it prints a variable.
PASSWORD, TOKEN = "pass-word-of-someone", "ecr-token"
SIGN_INS = ("ecr get-login-password", "ecr-public get-login-password", "ssm get-parameter")
PASSWORDS = tuple(
    (sign_in, password, 0) for sign_in, password in zip(SIGN_INS, (TOKEN, TOKEN, PASSWORD), strict=True)
)


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a build with a Docker Hub user."""
    made = Build(tmp_path)
    made.environment["DOCKER_HUB_USERNAME"] = "someone"
    shutil.copy(ROOT / "Dockerfile", tmp_path)
    made.answer(*PASSWORDS)
    return made


def said(build: Build, *, then: str = "env; set; jobs") -> str:
    """Run the sign-ins, and return what is visible: output, arguments, variables, files."""
    results = [build.run(sign_in, then=then) for sign_in in SIGN_INS]
    files = [path for path in build.folder.rglob("*") if path.is_file() and path.parent.name != "bin"]
    return "\n".join(
        [
            *(result.stdout + result.stderr for result in results),
            *(call for call, _ in build.calls),
            *(path.read_text() for path in files),
        ]
    )


def test_the_passwords_reach_docker_through_a_pipe_and_are_shown_nowhere(build: Build) -> None:
    text = said(build)
    fed = [given for call, given in build.calls if call.startswith("docker login")]
    assert fed == [f"{TOKEN}\n", f"{TOKEN}\n", f"{PASSWORD}\n"]
    assert "someone" in text
    assert TOKEN not in text
    assert PASSWORD not in text


@pytest.mark.parametrize("failing", ["docker login --username AWS", "docker login --username someone"])
def test_a_refused_password_is_not_shown_either(build: Build, failing: str) -> None:
    build.answer(
        *PASSWORDS,
        (failing, "Error response from daemon: unauthorized", 1),
    )
    text = said(build, then="true")
    assert "unauthorized" in text
    assert TOKEN not in text
    assert PASSWORD not in text


def test_a_password_that_is_shown_would_be_seen(build: Build) -> None:
    """Negative control: what `set -x` or a variable would do."""
    assert PASSWORD in said(build, then=f"echo {PASSWORD}")


def test_the_password_is_fetched_by_the_name_that_the_stack_gives(build: Build) -> None:
    said(build)
    (fetched,) = [call for call, _ in build.calls if call.startswith("aws ssm")]
    assert f"--name {ENVIRONMENT['DOCKER_HUB_PASSWORD_PARAMETER']} --with-decryption" in fetched


def test_a_user_name_is_one_argument_whatever_it_holds(build: Build) -> None:
    build.environment["DOCKER_HUB_USERNAME"] = "*"  # Without quotes, the names of the files here.
    assert build.run("ssm get-parameter").stdout == ""
    (login,) = [call for call, _ in build.calls if call.startswith("docker")]
    assert login == "docker login --username * --password-stdin"


def test_the_readme_has_one_command_that_puts_the_password_where_the_build_looks() -> None:
    """CloudFormation creates no SecureString (pitfall F5), and the shell history must not contain it."""
    (command,) = re.findall(r"^    (aws ssm put-parameter .*)$", (ROOT / "README.md").read_text(), re.M)
    words = shlex.split(command, comments=True)
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert given == {
        "--name": ENVIRONMENT["DOCKER_HUB_PASSWORD_PARAMETER"],
        "--type": "SecureString",
        "--value": "$(cat)",
    }
