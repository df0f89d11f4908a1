"""Rejects intrinsic functions whose arguments do not have CloudFormation's form, in its words.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
The messages: https://github.com/aws-cloudformation/cfn-lint, and issues about each function.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Template = Mapping[str, Any]
Form = Callable[[Any], bool]

FUNCTIONS = (
    *("And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap"),
    *("GetAZs", "GetAtt", "GetStackOutput", "If", "ImportValue", "Join", "Not", "Or", "RefAll", "Select"),
    *("Split", "Sub", "Transform", "ValueOf", "ValueOfAll"),
)


def _is_list(least: int, most: int) -> Form:
    return lambda value: isinstance(value, list) and least <= len(value) <= most


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_join(value: Any) -> bool:
    return _is_list(2, 2)(value) and isinstance(value[0], str) and isinstance(value[1], Mapping | list)


def _is_select(value: Any) -> bool:
    return (
        _is_list(2, 2)(value)
        and (_is_object(value[0]) or re.fullmatch(r"\d+", str(value[0])) is not None)
        and isinstance(value[1], Mapping | list)
    )


def _is_split(value: Any) -> bool:
    return _is_list(2, 2)(value) and isinstance(value[0], str) and isinstance(value[1], Mapping | str)


def _is_attribute(value: Any) -> bool:
    if isinstance(value, str):
        return "." in value.strip(".")
    return _is_list(2, 2)(value) and isinstance(value[0], str) and bool(value[1])


def _is_sub(value: Any) -> bool:
    is_pair = _is_list(2, 2)(value) and isinstance(value[0], str) and _is_object(value[1])
    return isinstance(value, str) or is_pair


# Function -> its form, and the message for another.
FORMS: Mapping[str, tuple[Form, str]] = {
    "Ref": (lambda value: isinstance(value, str), "every Ref object must have a single String value."),
    "Fn::Equals": (_is_list(2, 2), "every Fn::Equals object requires a list of 2 string parameters."),
    "Fn::FindInMap": (
        _is_list(3, 4),
        "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for "
        "return value",
    ),
    "Fn::GetAtt": (
        _is_attribute,
        "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
        "attribute",
    ),
    "Fn::If": (_is_list(3, 3), "Fn::If requires a list argument with three elements"),
    "Fn::Join": (
        _is_join,
        "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to "
        "be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
    ),
    "Fn::Not": (_is_list(1, 1), "every Fn::Not object requires a list of one condition."),
    "Fn::Select": (
        _is_select,
        "Fn::Select requires a list argument with two elements: an integer index and a list",
    ),
    "Fn::Split": (
        _is_split,
        "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split "
        "or a function that returns a string to be split.",
    ),
    "Fn::Sub": (
        _is_sub,
        "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first "
        "argument, and an optional second argument to specify a mapping of values to replace in the string",
    ),
    **{
        f"Fn::{name}": (_is_list(2, 10), f"every Fn::{name} object requires a list of 2 to 10 conditions.")
        for name in ("And", "Or")
    },
}


def function_violation(template: Template) -> str | None:
    """Return CloudFormation's message for the first function without its form, or None."""
    mappings = template.get("Mappings") or {}
    for section in ("Conditions", "Resources", "Outputs"):
        for member in (template.get(section) or {}).values():
            for found in _violations(member, mappings):
                return f"Template error: {found}"
    return None


def _violations(value: Any, mappings: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _violations(each, mappings)
    if not isinstance(value, Mapping):
        return
    for name, argument in value.items():
        # A function is alone: elsewhere, as in a policy or in user data, it is any key.
        if len(value) == 1:
            yield from _of_function(str(name), argument, mappings)
        yield from _violations(argument, mappings)


def _of_function(name: str, argument: Any, mappings: Mapping[str, Any]) -> Iterator[str]:
    if name.startswith("Fn::") and name.removeprefix("Fn::") not in FUNCTIONS:
        supported = ", ".join([*(f"Fn::{each}" for each in FUNCTIONS), "Ref", "Condition"])
        yield f"Encountered unsupported function: {name} Supported functions are: [{supported}]"
    if name in FORMS:
        is_form, message = FORMS[name]
        if not is_form(argument):
            yield message
            return
    if name == "Fn::FindInMap":
        yield from _of_mapping(argument, mappings)
    if name == "Fn::Select" and _selects_nothing(*argument):
        yield f"Fn::Select cannot select nonexistent value at index {argument[0]}"


def _selects_nothing(index: Any, values: Any) -> bool:
    """Return whether a list that is known has no such value."""
    if isinstance(index, Mapping) or not isinstance(values, list):
        return False
    return int(index) >= len(values) and not any(isinstance(each, Mapping) for each in values)


def _of_mapping(argument: list[Any], mappings: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message for a mapping or a key that is known, and that the template does not have."""
    name, *keys = argument[:3]
    if not isinstance(name, str) or len(argument) > 3:
        return
    if name not in mappings:
        yield f"Mapping named '{name}' is not present in the 'Mappings' section of template."
        return
    found: Any = mappings[name]
    for key in keys:
        if isinstance(key, Mapping):
            return
        if not isinstance(found, Mapping) or key not in found:
            yield f"Unable to get mapping for {'::'.join(map(str, (name, *keys)))}"
            return
        found = found[key]
