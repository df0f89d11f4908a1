"""What a rehearsal passes on was signed for AWS's host with the account's secret."""

import base64
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from integration_tests.rehearsal import signing

URL = "https://sns.us-east-1.amazonaws.com/?a=b"
HOSTS = ("git-codecommit.us-east-1.amazonaws.com", "127.0.0.1")


@pytest.mark.parametrize(
    ("url", "secret", "same"),
    [(URL, "secret", True), (URL, "another", False), ("https://127.0.0.1/?a=b", "secret", False)],
)
def test_a_signature_is_that_of_its_host_and_secret(url: str, secret: str, same: bool) -> None:
    request = AWSRequest("POST", URL, {"Content-Type": "text/plain"}, b"body")
    SigV4Auth(Credentials("key", "secret"), "sns", "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    signed = signing.parse(headers["authorization"])
    assert signed is not None
    made = signing.signature(signed, secret, "POST", url, headers, b"body")
    assert (made == signed.signature) is same


@pytest.mark.parametrize(("secret", "accepted"), [("secret", True), ("another", False)])
def test_the_password_of_git_is_made_again_only_if_it_is_right(secret: str, accepted: bool) -> None:
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    password = signing._git_password("secret", "/v1/repos/r", HOSTS[0], "us-east-1", time)
    made = signing.git_authorization("key", password, secret, "/v1/repos/r", HOSTS, "us-east-1")
    assert bool(made) is accepted
    if accepted:
        assert signing.git_user(made) == (
            "key",
            signing._git_password("secret", "/v1/repos/r", HOSTS[1], "us-east-1", time),
        )
        assert base64.b64decode(made.removeprefix("Basic "))
