"""What is refused before a run on AWS: credentials that end too soon, or that ask for a code."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path

import pytest
from botocore.credentials import SSOProvider

from harness.cloud import HarnessError
from harness.credentials import check_credentials

SSO = """
[profile mine]
sso_session = company
sso_account_id = 111111111111
sso_role_name = Admin
[sso-session company]
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1
"""
MFA = """
[profile mine]
role_arn = arn:aws:iam::111111111111:role/admin
source_profile = me
mfa_serial = arn:aws:iam::111111111111:mfa/me
[profile me]
aws_access_key_id = AKIA
aws_secret_access_key = secret
"""


class Machine:
    """The variables and the files of a machine."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.patch = patch

    def configure(self, text: str) -> None:
        (self.folder / "config").write_text(text)

    def keys(self, **more: str) -> None:
        self.patch.setenv("AWS_ACCESS_KEY_ID", "ASIA")
        self.patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        for name, value in more.items():
            self.patch.setenv(name, value)

    def session(self, **more: str) -> None:
        self.keys(**{"AWS_SESSION_TOKEN": "token", **more})

    def signed_in(self, **token: str) -> None:
        path = self.folder / f"{sha1(b'company', usedforsecurity=False).hexdigest()}.json"
        path.write_text(json.dumps({"accessToken": "x", **token}))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(tmp_path))
    return Machine(tmp_path, monkeypatch)


def within(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def test_without_credentials_the_line_says_what_live_accepts(machine: Machine) -> None:
    """It advised AWS_ENDPOINT_URL, which --live refuses."""
    with pytest.raises(
        HarnessError, match=r"found none in variables, in ~/\.aws or on this machine"
    ) as caught:
        check_credentials(None, None)
    assert "ENDPOINT" not in str(caught.value)


def test_a_session_of_one_hour_is_refused_with_how_to_get_a_longer_one(machine: Machine) -> None:
    machine.session(AWS_CREDENTIAL_EXPIRATION=within(59.5))
    with pytest.raises(
        HarnessError, match=r"in (59|60) minutes, and the run needs 165 with its destroy"
    ) as caught:
        check_credentials(None, None)
    assert "`aws sts assume-role --duration-seconds 9900 ...`" in str(caught.value)


@pytest.mark.parametrize(("limit", "refused"), [(60.0, True), (10.0, False)])
def test_a_time_limit_says_how_long_the_run_needs(machine: Machine, limit: float, refused: bool) -> None:
    machine.session(AWS_CREDENTIAL_EXPIRATION=within(59.5))
    if refused:
        with pytest.raises(HarnessError, match="the run needs 105 with its destroy"):
            check_credentials(None, limit)
    else:
        assert check_credentials(None, limit) == ""


def test_a_session_whose_end_nothing_says_is_told_of(machine: Machine) -> None:
    machine.session()
    assert check_credentials(None, None).startswith("nothing says when this session ends: the run needs 165")


def test_the_keys_of_a_user_never_end(machine: Machine) -> None:
    machine.keys()
    assert check_credentials(None, None) == ""


def test_a_session_in_the_credentials_file_has_no_known_end(machine: Machine) -> None:
    machine.configure(
        "[default]\naws_access_key_id = ASIA\naws_secret_access_key = secret\naws_session_token = token\n"
    )
    assert "nothing says when this session ends" in check_credentials(None, None)


def test_a_sign_in_that_cannot_be_renewed_is_refused_when_it_ends_too_soon(machine: Machine) -> None:
    machine.configure(SSO)
    machine.signed_in(expiresAt=within(30))
    with pytest.raises(HarnessError, match="the run needs 165"):
        check_credentials("mine", None)
    machine.signed_in(expiresAt=within(300))
    assert check_credentials("mine", None) == ""


def test_a_sign_in_that_is_renewed_lasts(machine: Machine) -> None:
    machine.configure(SSO)
    machine.signed_in(expiresAt=within(30), refreshToken="r")
    assert check_credentials("mine", None) == ""


def test_a_profile_without_a_sign_in_is_one_line(machine: Machine) -> None:
    machine.configure(SSO)
    with pytest.raises(HarnessError, match=r"the credentials cannot be read: .*SSO"):
        check_credentials("mine", None)


@pytest.mark.parametrize("profile", ["mine", "further"])
def test_a_profile_that_asks_for_a_code_is_refused_with_the_line_to_type(
    machine: Machine, profile: str
) -> None:
    """The CDK CLI, git and boto3 each asked, in a process whose output nobody sees."""
    further = "[profile further]\nrole_arn = arn:aws:iam::222222222222:role/x\nsource_profile = mine\n"
    machine.configure(MFA + further)
    with pytest.raises(HarnessError, match="the profile mine asks for an MFA code") as caught:
        check_credentials(profile, None)
    assert str(caught.value).endswith(
        "aws sts assume-role --role-arn arn:aws:iam::111111111111:role/admin --role-session-name live "
        "--profile me --duration-seconds 9900 --serial-number arn:aws:iam::111111111111:mfa/me "
        "--token-code CODE"
    )


def test_keys_in_variables_ask_for_no_code(machine: Machine) -> None:
    machine.configure(MFA)
    machine.patch.setenv("AWS_PROFILE", "mine")
    machine.keys()
    assert check_credentials(None, None) == ""
