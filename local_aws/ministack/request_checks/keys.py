"""What KMS refuses.

The states: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html#key-state-table
The codes: https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html (Errors)
"""

from collections.abc import Mapping
from typing import Any

from local_aws.core.api import service_model
from local_aws.ministack.account_scope import account_of, responses
from local_aws.ministack.compat import require
from local_aws.ministack.request_checks.rules import Checks, Rule, Test, unlike
from local_aws.ministack.request_checks.tags import TagCodes

kms = require("services.kms", "_aliases", "_grants", "_keys", "_resolve_key")

INVALID_STATE = "KMSInvalidStateException"
# Operations that fail while the deletion of a key is pending.
NOT_PENDING = (
    *("CreateAlias", "DisableKey", "DisableKeyRotation", "EnableKey", "EnableKeyRotation", "Encrypt"),
    *("GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ScheduleKeyDeletion", "TagResource"),
    *("UntagResource", "UpdateAlias", "UpdateKeyDescription"),
)
ENCRYPTING = ("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
ROTATING = ("DisableKeyRotation", "EnableKeyRotation")
ID_SIZE = 36
# https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
LARGEST_POLICY, ALIASES = 32768, 50
# https://docs.aws.amazon.com/kms/latest/developerguide/create-keys.html
SYMMETRIC = "SYMMETRIC_DEFAULT"
USAGES = {"ENCRYPT_DECRYPT": ("RSA_", SYMMETRIC, "SM2"), "GENERATE_VERIFY_MAC": ("HMAC_",)}


def _declaring(code: str) -> frozenset[str]:
    """Return the operations that declare a code."""
    model = service_model("kms")
    names = (model.operation_model(name) for name in model.operation_names)
    return frozenset(each.name for each in names if code in {shape.error_code for shape in each.error_shapes})


def is_missing(key: str) -> bool:
    """Return whether the account has no key of this id, ARN or alias, which is not another account's."""
    is_own = not key.startswith("arn:") or account_of(key) == responses.get_account_id()
    return is_own and kms._resolve_key(key) is None


def state_of(key: str) -> str:
    """Return the state of a key, or nothing if there is none."""
    return str((kms._resolve_key(key) or {}).get("KeyState", ""))


def is_in_state(key: str, *states: str) -> bool:
    """Return whether the key of a resource is in one of these states, if the resource has a key of its own.

    A key that does not exist has no state.
    """
    return bool(key) and not key.startswith("alias/aws/") and state_of(key) in states


def cannot_encrypt(key: str) -> bool:
    """Return whether a key is for signatures or codes, or not symmetric."""
    found = kms._resolve_key(key) if key else None
    return found is not None and (found["KeyUsage"], found["KeySpec"]) != ("ENCRYPT_DECRYPT", SYMMETRIC)


def _has(name: str, value: object) -> Test:
    return lambda key: (kms._resolve_key(key) or {}).get(name) == value


def _differs(name: str, value: object) -> Test:
    return lambda key: (kms._resolve_key(key) or {name: value}).get(name) != value


def _is_of_another(params: Mapping[str, Any]) -> bool:
    """Return whether a ciphertext, which begins with the id of its key, is of another than the given one."""
    own = bytes(params.get("CiphertextBlob", b""))[:ID_SIZE].decode("ascii", "replace")
    given = kms._resolve_key(params.get("KeyId", ""))
    return given is not None and own in kms._keys and given is not kms._keys[own]


def _does_not_fit(params: Mapping[str, Any]) -> bool:
    """Return whether the specification of a new key is not one of its usage."""
    usage = params.get("KeyUsage", "ENCRYPT_DECRYPT")
    spec = str(params.get("KeySpec") or params.get("CustomerMasterKeySpec") or SYMMETRIC)
    if usage in USAGES:
        return not spec.startswith(USAGES[usage])
    return spec == SYMMETRIC or spec.startswith("HMAC_")


def _has_too_many_aliases(params: Mapping[str, Any]) -> bool:
    found = kms._resolve_key(params["TargetKeyId"])
    targets = {name: kms._resolve_key(name) for name in list(kms._aliases)}
    aliases = [name for name, key in targets.items() if key is found]
    return found is not None and params["AliasName"] not in aliases and len(aliases) >= ALIASES


def _has_unknown_grant(tokens: list[str]) -> bool:
    known = {token for grant in kms._grants.values() for token in grant["_tokens"]}
    return not known.issuperset(tokens)


CHECKS = Checks(
    invalid="ValidationException",
    forms=(
        # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html#KMS-CreateKey-request-KeyUsage
        Rule(
            "",
            lambda given: not given.get("KeyUsage") and given.get("KeySpec", SYMMETRIC) != SYMMETRIC,
            "ValidationException",
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
            ("CreateKey",),
        ),
    ),
    states=(
        Rule(
            "KeyId",
            unlike(r"(?!arn:).*|arn:aws[\w-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+"),
            "InvalidArnException",
            "Invalid arn {}",
            _declaring("InvalidArnException"),
        ),
        Rule(
            "KeyId",
            is_missing,
            "NotFoundException",
            "Key '{}' does not exist",
            _declaring("NotFoundException"),
        ),
        Rule(
            "",
            _does_not_fit,
            "ValidationException",
            "The KeyUsage and the KeySpec of the key are not compatible.",
            ("CreateKey",),
        ),
        Rule(
            "",
            lambda given: ("KeySpec" in given) == ("NumberOfBytes" in given),
            "ValidationException",
            "Please specify either number of bytes or key spec.",
            ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
        ),
        Rule(
            "PolicyName",
            lambda name: name != "default",
            "NotFoundException",
            "No such policy exists",
            ("GetKeyPolicy", "PutKeyPolicy"),
        ),
        Rule(
            "Policy",
            lambda text: len(str(text)) > LARGEST_POLICY,
            "LimitExceededException",
            f"A key policy has at most {LARGEST_POLICY} bytes",
        ),
        Rule(
            "",
            _has_too_many_aliases,
            "LimitExceededException",
            f"A key can have at most {ALIASES} aliases",
            ("CreateAlias", "UpdateAlias"),
        ),
        Rule("TargetKeyId", is_missing, "NotFoundException", "Key '{}' does not exist"),
        Rule(
            "KeyId",
            _has("KeyState", "PendingDeletion"),
            INVALID_STATE,
            "{} is pending deletion.",
            NOT_PENDING,
        ),
        Rule("TargetKeyId", _has("KeyState", "PendingDeletion"), INVALID_STATE, "{} is pending deletion."),
        Rule(
            "KeyId",
            _differs("KeyState", "PendingDeletion"),
            INVALID_STATE,
            "{} is not pending deletion.",
            ("CancelKeyDeletion",),
        ),
        Rule("KeyId", _has("KeyState", "Disabled"), "DisabledException", "{} is disabled.", ROTATING),
        Rule(
            "KeyId",
            _differs("KeyUsage", "ENCRYPT_DECRYPT"),
            "InvalidKeyUsageException",
            "{} key usage is not valid for this operation.",
            ENCRYPTING,
        ),
        Rule(
            "KeyId",
            _differs("KeySpec", "SYMMETRIC_DEFAULT"),
            "UnsupportedOperationException",
            "You cannot perform this operation on a key that is not a symmetric encryption key.",
            ROTATING,
        ),
        Rule(
            "AliasName",
            lambda name: str(name).startswith("alias/aws/"),
            "InvalidAliasNameException",
            "Alias must not begin with 'alias/aws/'",
            ("CreateAlias",),
        ),
        Rule(
            "",
            _is_of_another,
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
            ("Decrypt",),
        ),
        Rule(
            "GrantTokens",
            _has_unknown_grant,
            "InvalidGrantTokenException",
            "Invalid grant token.",
            _declaring("InvalidGrantTokenException"),
        ),
        # local_aws has no custom key stores.
        Rule(
            "CustomKeyStoreId",
            lambda _: True,
            "CustomKeyStoreNotFoundException",
            "The custom key store {} does not exist.",
            ("CreateKey",),
        ),
        # MiniStack gives no markers.
        Rule(
            "Marker",
            lambda _: True,
            "InvalidMarkerException",
            "Could not deserialize marker.",
            ("ListAliases", "ListKeys", "ListResourceTags"),
        ),
        Rule(
            "DryRun",
            bool,
            "DryRunOperationException",
            "The request would have succeeded, but the DryRun option is set.",
            ENCRYPTING,
        ),
    ),
    tags=TagCodes("TagException", too_many="LimitExceededException", duplicate="TagException"),
)
