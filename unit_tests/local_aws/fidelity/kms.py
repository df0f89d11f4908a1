"""Wrong calls of KMS."""

import json
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

NOT_FOUND = "NotFoundException"
ARN = "arn:aws:kms:us-east-1:123456789012"
NO_KEY = "00000000-0000-0000-0000-000000000000"
KEY = {"KeyId": "$key"}
LARGE = json.dumps({"Version": "2012-10-17", "Id": "x" * 32768, "Statement": []})
TAGS = [{"TagKey": "k", "TagValue": "v"}]


def prepare(account: Account) -> Mapping[str, Any]:
    """Create a key of each state, and one for signatures."""
    client = account.client("kms")
    key, disabled, deleted = (client.create_key()["KeyMetadata"]["KeyId"] for _ in range(3))
    signing = client.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName="alias/one", TargetKeyId=key)
    of_disabled, of_deleted = (
        client.encrypt(KeyId=each, Plaintext=b"x")["CiphertextBlob"] for each in (disabled, deleted)
    )
    client.disable_key(KeyId=disabled)
    client.schedule_key_deletion(KeyId=deleted, PendingWindowInDays=7)
    ciphertext = client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    other = client.create_key()["KeyMetadata"]["KeyId"]
    policy = client.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    full = client.create_key()["KeyMetadata"]["KeyId"]
    for number in range(50):
        client.create_alias(AliasName=f"alias/many{number}", TargetKeyId=full)
    return {
        "full": full,
        "key": key,
        "disabled": disabled,
        "deleted": deleted,
        "signing": signing,
        "other": other,
        "ciphertext": ciphertext,
        "policy": policy,
        "of_disabled": of_disabled,
        "of_deleted": of_deleted,
    }


VALID: Mapping[str, Mapping[str, Any]] = {
    "CancelKeyDeletion": {"KeyId": "$deleted"},
    "CreateAlias": {"AliasName": "alias/new", "TargetKeyId": "$key"},
    "CreateKey": {},
    "Decrypt": {"CiphertextBlob": "$ciphertext"},
    "DeleteAlias": {"AliasName": "alias/one"},
    "DescribeKey": KEY,
    "DisableKey": KEY,
    "EnableKey": KEY,
    "EnableKeyRotation": KEY,
    "Encrypt": {**KEY, "Plaintext": b"x"},
    "GenerateDataKey": {**KEY, "KeySpec": "AES_256"},
    "GetKeyPolicy": KEY,
    "GetKeyRotationStatus": KEY,
    "ListAliases": {},
    "ListKeys": {},
    "ListResourceTags": KEY,
    "PutKeyPolicy": {**KEY, "Policy": "$policy"},
    "ScheduleKeyDeletion": KEY,
    "TagResource": {**KEY, "Tags": TAGS},
    "UntagResource": {**KEY, "TagKeys": ["k"]},
    "UpdateAlias": {"AliasName": "alias/one", "TargetKeyId": "$key"},
}
# https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html#key-state-table
WHEN_PENDING = ("CancelKeyDeletion", "Decrypt", "GetKeyPolicy", "GetKeyRotationStatus", "PutKeyPolicy")
WRONG = (
    Wrong("KeyId", NO_KEY, NOT_FOUND),
    Wrong("KeyId", "alias/nope", NOT_FOUND, ("ListAliases",)),
    Wrong("KeyId", f"{ARN}:nope/x", "InvalidArnException"),
    Wrong("KeyId", "$disabled", "DisabledException", ("Decrypt",)),
    Wrong("KeyId", "$deleted", "KMSInvalidStateException", WHEN_PENDING),
    Wrong("KeyId", "$signing", "InvalidKeyUsageException"),
    Wrong("KeyId", "$signing", "UnsupportedOperationException", ("GetKeyRotationStatus", "PutKeyPolicy")),
    Wrong("KeyId", "$other", "IncorrectKeyException"),
    Wrong("TargetKeyId", NO_KEY, NOT_FOUND),
    Wrong("TargetKeyId", "$deleted", "KMSInvalidStateException"),
    Wrong("AliasName", "alias/nope", NOT_FOUND, ("CreateAlias",)),
    Wrong("AliasName", "alias/one", "AlreadyExistsException"),
    Wrong("AliasName", "alias/aws/x", "InvalidAliasNameException"),
    Wrong("CiphertextBlob", b"zz", "InvalidCiphertextException"),
    Wrong("Policy", "zz", "MalformedPolicyDocumentException"),
    Wrong("Marker", "zz", "InvalidMarkerException"),
    Wrong("GrantTokens", ["zz"], "InvalidGrantTokenException"),
    Wrong("CustomKeyStoreId", "cks-1234567890abcdef0", "CustomKeyStoreNotFoundException"),
    Wrong("DryRun", True, "DryRunOperationException"),
    Wrong("Tags", [*TAGS, *TAGS], "TagException"),
    Wrong("Tags", [{"TagKey": "aws:k", "TagValue": "v"}], "TagException"),
    Wrong(
        "Tags",
        [{"TagKey": f"k{n}", "TagValue": "v"} for n in range(51)],
        "LimitExceededException",
        ("CreateKey",),
    ),
    Wrong("TagKeys", ["aws:k"], "TagException"),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("Decrypt", {"CiphertextBlob": "$of_disabled"}, "DisabledException"),
    ("Decrypt", {"CiphertextBlob": "$of_deleted"}, "KMSInvalidStateException"),
    ("CreateAlias", {"TargetKeyId": "$full"}, "LimitExceededException"),
    ("UpdateAlias", {"TargetKeyId": "$full"}, "LimitExceededException"),
    ("CreateKey", {"Policy": LARGE}, "LimitExceededException"),
    ("PutKeyPolicy", {"Policy": LARGE}, "LimitExceededException"),
    ("CancelKeyDeletion", {"KeyId": "$key"}, "KMSInvalidStateException"),
)
SUITE = Suite("kms", tuple(VALID), VALID, WRONG, CHANGES, prepare, invalid="ValidationException")
