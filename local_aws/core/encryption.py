"""Whether the KMS key of a resource can be used: local_aws encrypts nothing, and refuses what AWS refuses.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from typing import Any

from botocore.exceptions import ClientError

MISSING, UNUSABLE = "missing", "unusable"
# The states of a key that encrypts: https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
ENABLED, DISABLED = "Enabled", "Disabled"


def key_state(kms: Any, key: str) -> str:
    """Return the state of a key; `missing` if there is none, `unusable` for one that does not encrypt."""
    try:
        found = kms.describe_key(KeyId=key)["KeyMetadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NotFoundException", "InvalidArnException"):
            return MISSING
        raise
    is_usable = (found["KeyUsage"], found["KeySpec"]) == ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT")
    return str(found["KeyState"]) if is_usable else UNUSABLE
