"""Whether the KMS key of a resource can be used: local_aws encrypts nothing, and refuses what AWS refuses.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

MISSING, UNUSABLE, DENIED = "missing", "unusable", "denied"
# The states of a key that encrypts: https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
ENABLED, DISABLED = "Enabled", "Disabled"


@dataclass(frozen=True)
class Key:
    """A key: its ARN, and its state or why it has none."""

    arn: str
    state: str


def find_key(kms: Any, key: str) -> Key:
    """Return a key. Its state is `missing` if there is none, `unusable` for one that does not encrypt.

    It is `denied` if the key's policy does not even let the account describe it.
    """
    try:
        found = kms.describe_key(KeyId=key)["KeyMetadata"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("NotFoundException", "InvalidArnException"):
            return Key(key, MISSING)
        if code == "AccessDeniedException":
            return Key(key, DENIED)
        raise
    is_usable = (found["KeyUsage"], found["KeySpec"]) == ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT")
    return Key(str(found["Arn"]), str(found["KeyState"]) if is_usable else UNUSABLE)
