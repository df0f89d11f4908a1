"""Keys that sign: what KMS refuses, which policies other accounts need, and that a key survives a restart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.daemon import start
from unit_tests.local_aws.server.test_accounts import FIRST, SECOND, Clients, _code, _document

ALIAS = "alias/signing-key-dev"
KEY = f"arn:aws:kms:us-east-1:{FIRST}:{ALIAS}"
ALGORITHM = "ECDSA_SHA_256"
OWNER = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{FIRST}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    server = start(tmp_path_factory.mktemp("state"))
    found = Clients(server)
    create_key(found)
    yield found
    assert server.stop() == []


def create_key(clients: Clients) -> None:
    kms = clients.of(FIRST, "kms")
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=ALIAS, TargetKeyId=made)


def sign(clients: Clients, message: bytes = b"m") -> bytes:
    signed: bytes = clients.of(FIRST, "kms").sign(KeyId=ALIAS, Message=message, SigningAlgorithm=ALGORITHM)[
        "Signature"
    ]
    return signed


def verification(signature: bytes, message: bytes = b"m") -> dict[str, Any]:
    return {"KeyId": KEY, "Message": message, "Signature": signature, "SigningAlgorithm": ALGORITHM}


def test_a_signature_of_something_else_is_refused(clients: Clients) -> None:
    verify = clients.of(FIRST, "kms").verify
    assert verify(**verification(sign(clients)))["SignatureValid"] is True
    assert _code(verify, **verification(sign(clients, b"n"))) == "KMSInvalidSignatureException"


def test_a_message_has_4096_bytes_at_most(clients: Clients) -> None:
    kms = clients.of(FIRST, "kms")
    assert kms.verify(**verification(sign(clients, b"x" * 4096), b"x" * 4096))["SignatureValid"] is True
    long = {"KeyId": ALIAS, "Message": b"x" * 4097, "SigningAlgorithm": ALGORITHM}
    assert _code(kms.sign, **long) == "ValidationException"


def test_the_policy_of_a_key_denies_its_use_to_the_root_user_too(clients: Clients) -> None:
    kms = clients.of(FIRST, "kms")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:Sign", "Resource": "*"}
    key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=_document(OWNER, deny))
    asked = {"KeyId": ALIAS, "Message": b"m", "SigningAlgorithm": ALGORITHM}
    assert _code(kms.sign, **asked) == "AccessDeniedException"
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=_document(OWNER))
    assert sign(clients)


def test_another_account_verifies_by_the_alias_if_both_policies_allow_it(clients: Clients) -> None:
    signature, kms = sign(clients), clients.of(FIRST, "kms")
    may = {"Effect": "Allow", "Action": "kms:Verify", "Resource": f"arn:aws:kms:us-east-1:{FIRST}:key/*"}
    verifiers = [
        clients.role(
            SECOND,
            name,
            f"arn:aws:iam::{SECOND}:root",
            {**may, "Condition": {"StringEquals": {"kms:RequestAlias": alias}}},
        )
        for name, alias in (("right", ALIAS), ("wrong", "alias/another"))
    ]
    right, wrong = (clients.of(SECOND, "kms", clients.acting(each, SECOND)).verify for each in verifiers)
    root = clients.of(SECOND, "kms").verify
    given = verification(signature)
    assert {_code(each, **given) for each in (right, wrong, root)} == {"AccessDeniedException"}
    other = {**may, "Principal": {"AWS": f"arn:aws:iam::{SECOND}:root"}, "Resource": "*"}
    condition = {"ArnEquals": {"aws:PrincipalArn": verifiers}}
    policy = _document(OWNER, {**other, "Condition": condition})
    key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    assert right(**given)["SignatureValid"] is True
    assert {_code(each, **given) for each in (wrong, root)} == {"AccessDeniedException"}


def test_a_key_signs_with_the_same_key_after_a_restart(tmp_path: Path) -> None:
    server = start(tmp_path)
    clients = Clients(server)
    create_key(clients)
    signature = sign(clients)
    assert server.stop() == []
    server = start(tmp_path)
    try:
        verify = Clients(server).of(FIRST, "kms").verify
        assert verify(**verification(signature))["SignatureValid"] is True
    finally:
        assert server.stop() == []
