"""What ELBv2 checks in the conditions of a rule, in AWS's words."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from local_aws.services.elbv2.errors import validation_error

Condition = Mapping[str, Any]

# Field -> the member with its values, and the longest value.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
FIELDS = {
    "path-pattern": ("PathPatternConfig", 128),
    "host-header": ("HostHeaderConfig", 128),
    "http-header": ("HttpHeaderConfig", 128),
    "http-request-method": ("HttpRequestMethodConfig", 40),
    "query-string": ("QueryStringConfig", 128),
    "source-ip": ("SourceIpConfig", 128),
}
WITH_PLAIN_VALUES = ("path-pattern", "host-header")
LONGEST_HEADER_NAME = 40
MOST_VALUES = 5
# A rule has one condition of each field but these.
REPEATED = ("http-header", "query-string")
# The characters of values, wildcards included.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_HttpRequestMethodConditionConfig.html
CHARACTERS = {
    "path-pattern": re.compile(r"[A-Za-z0-9_\-.$/~\"'@:+&*?]+"),
    "host-header": re.compile(r"[A-Za-z0-9\-.*?]+"),
    "http-request-method": re.compile(r"[A-Z_-]+"),
}
# Without wildcards: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_HttpHeaderConditionConfig.html
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'+\-.^_`|~]+")


def check_conditions(conditions: Sequence[Condition]) -> None:
    """Raise `AwsError` for the conditions of a rule that AWS rejects.

    The messages: aws/aws-cdk#10065 (the number of values) and moto's `_validate_conditions`; that of a rule
    without a condition is our own.
    """
    if not conditions:
        raise validation_error("A condition must be specified")
    if sum(len(_values(condition)) for condition in conditions) > MOST_VALUES:
        raise validation_error(f"A rule can only have '{MOST_VALUES}' condition values")
    for condition in conditions:
        _check_condition(condition)
    fields = [each["Field"] for each in conditions if each["Field"] not in REPEATED]
    for field in set(fields):
        if fields.count(field) > 1:
            raise validation_error(f"A rule can only have one '{field}' condition")


def _check_condition(condition: Condition) -> None:
    field = condition.get("Field", "")
    if field not in FIELDS:
        raise validation_error(f"Condition field '{field}' must be one of '[{','.join(FIELDS)}]'")
    _check_member(field, condition)
    values = _values(condition)
    if not values:
        raise validation_error("A condition value must be specified")
    _, longest = FIELDS[field]
    if any(len(value) > longest for value in values if isinstance(value, str)):
        raise validation_error(f"The '{field}' value is too long; the limit is '{longest}'")
    if field in CHARACTERS and not all(CHARACTERS[field].fullmatch(str(value)) for value in values):
        raise validation_error(f"The '{field}' value contains invalid characters")


def _check_member(field: str, condition: Condition) -> None:
    """Check the member that has the values, which the field decides."""
    member, _ = FIELDS[field]
    if field in WITH_PLAIN_VALUES and len(condition.get("Values", [])) > 1:
        raise validation_error(f"The '{field}' field contains too many values; the limit is '1'")
    if field not in WITH_PLAIN_VALUES and member not in condition:
        raise validation_error(f"A '{member}' must be specified with '{field}'")
    given = condition.get("Values", [])
    if given and condition.get(member, {}).get("Values", given) != given:
        raise validation_error(f"A '{field}' condition has either 'Values' or a '{member}'")
    if field == "http-header":
        _check_header_name(condition[member].get("HttpHeaderName", ""))


def _check_header_name(name: str) -> None:
    if len(name) > LONGEST_HEADER_NAME:
        raise validation_error(
            f"The 'HttpHeaderName' value is too long; the limit is '{LONGEST_HEADER_NAME}'"
        )
    if not HEADER_NAME.fullmatch(name):
        raise validation_error(f"The 'HttpHeaderName' value '{name}' is not a header's name")
    if name.lower() == "host":
        raise validation_error("Use a 'host-header' condition for the header Host")


def _values(condition: Condition) -> list[Any]:
    member = FIELDS.get(condition.get("Field", ""), ("", 0))[0]
    return list(condition.get(member, {}).get("Values", [])) or list(condition.get("Values", []))
