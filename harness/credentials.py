"""The credentials of a run on AWS: they last until the end of its destroy, and nobody is asked for a code."""

import os
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
from botocore.credentials import JSONFileCache, SSOProvider
from botocore.exceptions import BotoCoreError
from botocore.utils import SSOTokenLoader

from harness.cloud import HarnessError

# The time that a first scenario takes (docs/live.md).
RUN_MINUTES = 120.0
DESTROY_MINUTES = 45.0
TOKENS = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
EXPIRATION = "AWS_CREDENTIAL_EXPIRATION"
NONE = (
    "--live needs credentials, and found none in variables, in ~/.aws or on this machine: set AWS_PROFILE to "
    "one of `aws configure list-profiles`, or sign in with `aws sso login --profile NAME`"
)
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
LONGER = (
    "get longer ones: `aws sts assume-role --duration-seconds {seconds} ...` if the role's maximum session "
    "duration allows it, which is one hour for a role that another role assumes; or use a profile with "
    "role_arn or sso_session, which is renewed during the run"
)
# botocore renews them, or they are a user's keys.
ENDLESS = datetime.max.replace(tzinfo=UTC)
UNKNOWN = "nothing says when this session ends: the run needs {minutes:.0f} minutes, with its destroy"


def check_credentials(profile: str | None, limit: float | None) -> str:
    """Raise `HarnessError` if a run of `limit` minutes cannot finish with the credentials of `profile`.

    Without a limit, it is a first scenario. Return what cannot be known, else "".
    """
    session = botocore.session.Session(profile=profile)
    try:
        credentials = session.get_credentials()
        if credentials is None:
            raise HarnessError(NONE)
        if credentials.method != "env":
            _reject_mfa(session)
        end = _end(session, credentials)
    except BotoCoreError as error:
        raise HarnessError(f"the credentials cannot be read: {error}") from error
    minutes = (RUN_MINUTES if limit is None else limit) + DESTROY_MINUTES
    if end is None:
        return UNKNOWN.format(minutes=minutes)
    left = (end - datetime.now(UTC)) / timedelta(minutes=1)
    if left < minutes:
        raise HarnessError(
            f"these credentials end at {end:%H:%M} UTC, in {max(left, 0):.0f} minutes, and the run needs "
            f"{minutes:.0f} with its destroy: {LONGER.format(seconds=int(minutes * 60))}"
        )
    return ""


def _end(session: Any, credentials: Any) -> datetime | None:
    """Return when credentials end, or None if nothing says."""
    if credentials.method == "env":
        if not any(os.environ.get(name) for name in TOKENS):
            return ENDLESS
        end = os.environ.get(EXPIRATION)
        return _moment(end) if end else None
    if credentials.method == "sso":
        return _end_of_sso(session)
    static = ("shared-credentials-file", "config-file")
    return None if credentials.method in static and credentials.token else ENDLESS


def _end_of_sso(session: Any) -> datetime:
    """Return when `aws sso login` must be repeated. A token of an sso-session is renewed for hours.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html
    """
    profile = session.get_scoped_config()
    name = profile.get("sso_session")
    section = session.full_config.get("sso_sessions", {}).get(name, profile)
    load = SSOTokenLoader(cache=JSONFileCache(SSOProvider._SSO_TOKEN_CACHE_DIR))
    token = load(section.get("sso_start_url"), session_name=name)
    return ENDLESS if "refreshToken" in token else _moment(token["expiresAt"])


def _moment(text: str) -> datetime:
    # Older versions of the AWS CLI write UTC in place of Z.
    return datetime.fromisoformat(text.replace("UTC", "Z")).astimezone(UTC)


def _reject_mfa(session: Any) -> None:
    """Raise `HarnessError` if a profile asks for an MFA code: the CDK CLI, git and boto3 each would.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
    """
    for name, profile in _profiles(session):
        if "role_arn" in profile and "mfa_serial" in profile:
            raise HarnessError(
                f"the profile {name} asks for an MFA code, and each process of the run would, unseen. First "
                "type this, export what it prints as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY "
                f"and AWS_SESSION_TOKEN, and unset AWS_PROFILE: {_assume_role(profile)}"
            )


def _assume_role(profile: Mapping[str, str]) -> str:
    words = ["aws", "sts", "assume-role", "--role-arn", profile["role_arn"], "--role-session-name", "live"]
    if "source_profile" in profile:
        words += ["--profile", profile["source_profile"]]
    seconds = str(int((RUN_MINUTES + DESTROY_MINUTES) * 60))
    return shlex.join([*words, "--duration-seconds", seconds, "--serial-number", profile["mfa_serial"]]) + (
        " --token-code CODE"
    )


def _profiles(session: Any) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the profile of a session, and those whose credentials it uses."""
    profiles = session.full_config.get("profiles", {})
    name, seen = session.get_config_variable("profile") or "default", set()
    while name in profiles and name not in seen:
        seen.add(name)
        yield name, profiles[name]
        name = profiles[name].get("source_profile")
