"""What Parameter Store refuses.

The codes: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html#API_PutParameter_Errors
and for filters https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require
from local_aws.ministack.request_checks import keys
from local_aws.ministack.request_checks.rules import Checks, Rule, other_than, some
from local_aws.ministack.request_checks.tags import TagCodes

RESOURCE_TYPES = (
    *("Document", "ManagedInstance", "MaintenanceWindow", "Parameter", "PatchBaseline", "OpsItem"),
    *("OpsMetadata", "Automation", "Association"),
)
LEVELS = 15
FILTER_KEYS = re.compile(r"Name|Type|KeyId|Path|Label|Tier|DataType|tag:.+")
FILTER_OPTIONS = ("Equals", "BeginsWith", "Contains", "Recursive", "OneLevel")
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html
MOST_POLICIES = 10
POLICY_TYPES = ("Expiration", "ExpirationNotification", "NoChangeNotification")
# The states in which a key does not decrypt: it does not exist, is disabled, or is to be deleted.
SEALED = ("", "Disabled", "PendingDeletion")
READING = ("GetParameter", "GetParameterHistory", "GetParameters", "GetParametersByPath")
TYPES = ("String", "StringList", "SecureString")

# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html
VERSIONS = 100
# Characters of a value, by tier; Intelligent-Tiering takes the one that fits.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
LONGEST_STANDARD, LONGEST_ADVANCED = 4096, 8192
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html
PATH = re.compile(r"/([\w.-]+(/[\w.-]+)*/?)?")

ssm = require("services.ssm", "_parameters", "_parameter_history", "_decode_next_token")


def _policy_types(text: str) -> list[Any] | None:
    """Return the types of parameter policies, or None if the text has none."""
    try:
        return [policy["Type"] for policy in json.loads(text)]
    except (ValueError, TypeError, LookupError):
        return None


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _is_unlike_pattern(params: Mapping[str, Any]) -> bool:
    pattern = params.get("AllowedPattern")
    return bool(pattern) and re.search(str(pattern), str(params.get("Value"))) is None


def _is_too_long(params: Mapping[str, Any]) -> bool:
    standard = params.get("Tier", "Standard") == "Standard"
    return len(str(params.get("Value"))) > (LONGEST_STANDARD if standard else LONGEST_ADVANCED)


def _has_another_type(params: Mapping[str, Any]) -> bool:
    stored = ssm._parameters.get(params["Name"])
    given = params.get("Type")
    return bool(stored and given and params.get("Overwrite") and stored["Type"] != given)


def _has_missing_key(params: Mapping[str, Any]) -> bool:
    given = params.get("KeyId")
    return bool(given) and params.get("Type") == "SecureString" and keys.is_missing(str(given))


def _is_sealed(names: object) -> bool:
    """Return whether the key of a SecureString, with or without its version or label, cannot be used."""
    found = (ssm._parameters.get(str(name).partition(":")[0]) for name in names or ())  # type: ignore[attr-defined]
    secure = [each for each in found if each is not None and each["Type"] == "SecureString"]
    return any(keys.is_in_state(str(each.get("KeyId") or ""), *SEALED) for each in secure)


def _names(params: Mapping[str, Any]) -> list[str]:
    """Return the parameters that a request decrypts."""
    if not params.get("WithDecryption"):
        return []
    path = str(params.get("Path", "")).rstrip("/") + "/"
    below = [name for name in list(ssm._parameters) if "Path" in params and name.startswith(path)]
    return [*below, *params.get("Names", []), *([params["Name"]] if "Name" in params else [])]


def _keeps_label(params: Mapping[str, Any]) -> bool:
    """Return whether the oldest version, which a new one would replace, has a label."""
    history = ssm._parameter_history.get(params["Name"]) or []
    return (
        bool(params.get("Overwrite")) and len(history) >= VERSIONS and bool(history[-VERSIONS].get("Labels"))
    )


def _token_is_unknown(token: str) -> bool:
    # MiniStack begins anew with a token that it did not give.
    return bool(token) and ssm._decode_next_token(token) == 0


CHECKS = Checks(
    invalid="ValidationException",
    forms=(
        Rule(
            "ResourceType",
            other_than(*RESOURCE_TYPES),
            "InvalidResourceType",
            "{} is not a valid resource type",
        ),
        Rule(
            "ParameterFilters",
            some(lambda one: FILTER_KEYS.fullmatch(str(one.get("Key"))) is None),
            "InvalidFilterKey",
            "The specified key isn't valid.",
        ),
        Rule(
            "ParameterFilters",
            some(lambda one: one.get("Option", "Equals") not in FILTER_OPTIONS),
            "InvalidFilterOption",
            "The specified filter option isn't valid. Valid options are Equals and BeginsWith.",
        ),
        Rule(
            "ParameterFilters",
            some(lambda one: one["Key"] == "Type" and not set(one.get("Values", ())) <= set(TYPES)),
            "InvalidFilterValue",
            "The filter value isn't valid. Verify the value and try again.",
        ),
        Rule("NextToken", _token_is_unknown, "InvalidNextToken", "The specified token isn't valid."),
        Rule(
            "Name",
            lambda name: str(name).count("/") > LEVELS,
            "HierarchyLevelLimitExceededException",
            f"A hierarchy can have a maximum of {LEVELS} levels.",
            ("PutParameter",),
        ),
        Rule(
            "AllowedPattern",
            lambda text: not _is_pattern(text),
            "InvalidAllowedPatternException",
            "The request doesn't meet the regular expression requirement.",
        ),
        Rule(
            "",
            _is_unlike_pattern,
            "ParameterPatternMismatchException",
            "Parameter value, cannot be validated against allowedPattern.",
            ("PutParameter",),
        ),
        # https://github.com/getmoto/moto/issues/3794
        Rule(
            "Value",
            lambda text: not text,
            "ValidationException",
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
            ("PutParameter",),
        ),
        Rule(
            "",
            _is_too_long,
            "ValidationException",
            f"Standard tier parameters support a maximum parameter value of {LONGEST_STANDARD} characters, "
            f"advanced ones of {LONGEST_ADVANCED}.",
            ("PutParameter",),
        ),
        Rule(
            "Path",
            lambda path: PATH.fullmatch(str(path)) is None,
            "ValidationException",
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with "
            'a forward slash "/".',
            ("GetParametersByPath",),
        ),
    ),
    states=(
        Rule(
            "Policies",
            lambda text: bool(text) and _policy_types(text) is None,
            "InvalidPolicyAttributeException",
            "A policy attribute or its value is invalid.",
            ("PutParameter",),
        ),
        Rule(
            "Policies",
            lambda text: bool(text) and not set(_policy_types(text) or ()) <= set(POLICY_TYPES),
            "InvalidPolicyTypeException",
            "The policy type isn't supported. Parameter Store supports the following policy types: "
            + ", ".join(POLICY_TYPES),
            ("PutParameter",),
        ),
        Rule(
            "Policies",
            lambda text: len(_policy_types(text) or ()) > MOST_POLICIES,
            "PoliciesLimitExceededException",
            f"A parameter can have at most {MOST_POLICIES} policies.",
            ("PutParameter",),
        ),
        # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html#API_PutParameter_Errors
        Rule(
            "Policies",
            lambda text: (_policy_types(text) or []).count("Expiration") > 1,
            "IncompatiblePolicyException",
            "There is a conflict in the policies specified for this parameter: two are Expiration policies.",
            ("PutParameter",),
        ),
        Rule(
            "",
            _has_another_type,
            "HierarchyTypeMismatchException",
            "Parameter Store doesn't support changing a parameter type in a hierarchy.",
            ("PutParameter",),
        ),
        Rule(
            "",
            _keeps_label,
            "ParameterMaxVersionLimitExceeded",
            f"The oldest of {VERSIONS} versions of the parameter has a label: move it to a newer version.",
            ("PutParameter",),
        ),
        Rule("", lambda given: _is_sealed(_names(given)), "InvalidKeyId", "The key is not usable.", READING),
        Rule("", _has_missing_key, "InvalidKeyId", "The query key ID isn't valid.", ("PutParameter",)),
    ),
    tags=TagCodes("ValidationException", too_many="TooManyTagsError"),
)
