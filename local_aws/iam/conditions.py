"""Condition operators: String, Numeric, Date, Bool, Binary, IpAddress, Arn and Null, with their modifiers.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import ipaddress
import operator
from collections.abc import Callable
from datetime import UTC, datetime

from local_aws.iam.documents import Condition
from local_aws.iam.matching import UnknownVariableError, Values, filled, matches

Compare = Callable[[str, str], bool]


def holds(condition: Condition, values: Values, *, variables: bool) -> bool:
    """Return whether a condition holds for a request with the context keys `values`, in lower case."""
    quantifier, _, name = condition.operator.lower().rpartition(":")
    optional = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    found = values.get(condition.key.lower())
    if name == "null":
        return (found is None) in [value.lower() == "true" for value in condition.values]
    negated, compare = _compare(name, values if variables else None)
    universal = quantifier in _universal(negated)
    if found is None:
        return optional or universal
    actual = (found,) if isinstance(found, str) else found
    results = [_matches_any(compare, condition.values, value) != negated for value in actual]
    return all(results) if universal else any(results)


def _universal(negated: bool) -> tuple[str, ...]:
    """Return the quantifiers with which all values of a key must match; a negated operator needs none.

    Such a condition also holds for a request that lacks the key.
    """
    return ("forallvalues", "") if negated else ("forallvalues",)


def _matches_any(compare: Compare, wanted: tuple[str, ...], actual: str) -> bool:
    return any(compare(value, actual) for value in wanted)


def _compare(name: str, values: Values | None) -> tuple[bool, Compare]:
    """Return whether an operator is negated, and how it compares a policy's value with a request's."""
    negated = "not" in name
    affirmative = name.replace("not", "", 1)
    if affirmative not in OPERATORS:
        # AWS rejects such a policy when it is stored; here the condition never holds.
        return False, lambda _wanted, _actual: False
    compare = OPERATORS[affirmative]
    if values is None or not affirmative.startswith(("string", "arn")):
        return negated, compare
    if affirmative in ("stringequals", "stringequalsignorecase"):
        return negated, lambda wanted, actual: _compare_filled(compare, wanted, actual, values)
    if affirmative == "stringlike":
        return negated, lambda wanted, actual: matches(wanted, actual, values)
    return negated, lambda wanted, actual: _arn(wanted, actual, values)


def _compare_filled(compare: Compare, wanted: str, actual: str, values: Values) -> bool:
    try:
        return compare(filled(wanted, values), actual)
    except UnknownVariableError:
        return False


def _arn(wanted: str, actual: str, values: Values | None = None) -> bool:
    """Compare two ARNs part by part: before the resource, a wildcard does not match a colon."""
    pattern, text = wanted.split(":", 5), actual.split(":", 5)
    if wanted == "*":
        return True
    return len(pattern) == len(text) and all(
        matches(part, piece, values) for part, piece in zip(pattern, text, strict=True)
    )


def _numeric(compare: Callable[[float, float], bool]) -> Compare:
    def numbers(wanted: str, actual: str) -> bool:
        try:
            return compare(float(actual), float(wanted))
        except ValueError:
            return False

    return numbers


def _date(compare: Callable[[datetime, datetime], bool]) -> Compare:
    def dates(wanted: str, actual: str) -> bool:
        try:
            return compare(_datetime(actual), _datetime(wanted))
        except (ValueError, OverflowError):
            return False

    return dates


def _datetime(text: str) -> datetime:
    """Parse an ISO 8601 date, or seconds since 1970."""
    if text.replace(".", "", 1).isdigit() and "-" not in text:
        return datetime.fromtimestamp(float(text), UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _within(wanted: str, actual: str) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


OPERATORS: dict[str, Compare] = {
    "stringequals": operator.eq,
    "stringequalsignorecase": lambda wanted, actual: wanted.lower() == actual.lower(),
    "stringlike": matches,
    "numericequals": _numeric(operator.eq),
    "numericlessthan": _numeric(operator.lt),
    "numericlessthanequals": _numeric(operator.le),
    "numericgreaterthan": _numeric(operator.gt),
    "numericgreaterthanequals": _numeric(operator.ge),
    "dateequals": _date(operator.eq),
    "datelessthan": _date(operator.lt),
    "datelessthanequals": _date(operator.le),
    "dategreaterthan": _date(operator.gt),
    "dategreaterthanequals": _date(operator.ge),
    "bool": lambda wanted, actual: wanted.lower() == actual.lower(),
    "binaryequals": operator.eq,
    "ipaddress": _within,
    "arnequals": _arn,
    "arnlike": _arn,
}
