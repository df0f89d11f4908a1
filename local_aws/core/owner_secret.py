"""The secret access key of the root users, in files of the state folder that only its owner can read."""

import os
import secrets
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

FILE = "secret"
# What a shell reads, by `. FILE`.
ENVIRONMENT_FILE = "environment"


def create(state: Path) -> str:
    """Return the secret of a state folder; the first server of the folder creates it."""
    if not (state / FILE).exists():
        # 40 characters, as AWS's. Without those that a shell or a URL would need quoted.
        _write(state / FILE, secrets.token_hex(20))
    return read(state)


def read(state: Path) -> str:
    """Return the secret of a state folder in which a server was started."""
    return (state / FILE).read_text().strip()


def variables(endpoint: str, account: str, region: str, secret: str) -> dict[str, str]:
    """Return the variables with which the AWS CLI, the SDKs, the CDK and git are an account's root user."""
    aws = shlex.quote(str(Path(sys.executable).with_name("aws")))
    # The CLI knows the option for `get` only; git also asks to store and to erase, which prints a line each.
    helper = f'!f() {{ test "$1" != get || {aws} codecommit credential-helper --ignore-host-check get; }}; f'
    git = {
        # Without the helpers of other configurations, which would store what is valid for 15 minutes only.
        f"credential.{endpoint}.helper": ("", helper),
        f"credential.{endpoint}.useHttpPath": ("true",),
    }
    settings = [(name, value) for name, values in git.items() for value in values]
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": region,
        # https://git-scm.com/docs/git-config#ENVIRONMENT
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{f"GIT_CONFIG_KEY_{number}": name for number, (name, _) in enumerate(settings)},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(settings)},
    }


def write_environment(state: Path, values: Mapping[str, str]) -> None:
    """Write a script that exports the variables."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    _write(state / ENVIRONMENT_FILE, "\n".join([*lines, "unset AWS_SESSION_TOKEN", ""]))


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
