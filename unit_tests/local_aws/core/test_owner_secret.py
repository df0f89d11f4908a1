"""The shell of a user: what `make up` names to be read."""

import os
import subprocess

import pytest

from local_aws.core import owner_secret

ENDPOINT = "http://127.0.0.1:4711"
ASKED = "protocol=http\nhost=127.0.0.1:4711\npath=v1/repos/repository-dev\nusername=a\npassword=b\n"


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_git_prints_nothing_when_it_offers_a_password_to_store(action: str) -> None:
    """The AWS CLI rejects --ignore-host-check then, with "Unknown options" in the middle of a push."""
    variables = owner_secret.variables(ENDPOINT, "123456789012", "us-east-1", "secret")
    done = subprocess.run(  # noqa: S603
        ["git", "credential", action],  # noqa: S607
        input=ASKED,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_git_gets_a_password() -> None:
    variables = owner_secret.variables(ENDPOINT, "123456789012", "us-east-1", "secret")
    done = subprocess.run(
        ["git", "credential", "fill"],  # noqa: S607
        input=ASKED.partition("username")[0] + "\n",
        env={**os.environ, **variables, "GIT_TERMINAL_PROMPT": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "username=123456789012\n" in done.stdout
    assert "password=" in done.stdout
