"""A validator of JSON schemas with the keywords and conversions of CloudFormation's resource types.

The keywords that cfn-lint adds: https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/customize_schemas.md
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import regex
from jsonschema import Draft7Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

Schema = Mapping[str, Any]
Errors = Iterator[ValidationError]


class Unresolved:
    """A value that is known only when another resource exists. It satisfies each schema."""


def validator_of(schema: Schema) -> Validator:
    """Return a validator of values that CloudFormation gives to a resource type with this schema."""
    return _Validator(schema)


def extraneous_keys(schema: Schema, instance: Mapping[str, Any]) -> list[str]:
    """Return the keys that neither the properties nor the patterns of a schema name."""
    patterns = [_compiled(each) for each in schema.get("patternProperties", {})]
    known = schema.get("properties", {})
    return [key for key in instance if key not in known and not any(p.search(key) for p in patterns)]


def _additional_properties(validator: Validator, allowed: Any, value: Any, schema: Schema) -> Errors:
    extraneous = extraneous_keys(schema, value) if isinstance(value, Mapping) else []
    if isinstance(allowed, Mapping):
        for key in extraneous:
            yield from validator.descend(value[key], allowed, path=key)
    elif not allowed and extraneous:
        yield ValidationError("additionalProperties")


def _pattern_properties(validator: Validator, patterns: Schema, value: Any, _: Schema) -> Errors:
    if isinstance(value, Mapping):
        for pattern, schema in patterns.items():
            for key in filter(_compiled(pattern).search, value):
                yield from validator.descend(value[key], schema, path=key, schema_path=pattern)


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool | list | Mapping | Unresolved) else float(value)
    except (TypeError, ValueError):
        return None


def _is_a(value: Any, wanted: str) -> bool:
    """Return whether CloudFormation takes a value for one of this type: it converts scalars."""
    if wanted == "string":
        return isinstance(value, str | int | float)
    if wanted == "boolean":
        return str(value).lower() in ("true", "false")
    if wanted in ("integer", "number"):
        number = _number(value)
        return number is not None and (wanted == "number" or number.is_integer())
    return isinstance(value, {"array": list, "object": Mapping}.get(wanted, type(None)))


def _type(_: Validator, wanted: str | list[str], value: Any, __: Schema) -> Errors:
    each = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(value, Unresolved) and not any(_is_a(value, one) for one in each):
        yield ValidationError("type")


def _enum(_: Validator, values: list[Any], value: Any, __: Schema) -> Errors:
    if not isinstance(value, Unresolved | Mapping | list) and _text(value) not in map(_text, values):
        yield ValidationError("enum")


def _enum_ignoring_case(_: Validator, values: list[Any], value: Any, __: Schema) -> Errors:
    known = [_text(each).lower() for each in values]
    if not isinstance(value, Unresolved | Mapping | list) and _text(value).lower() not in known:
        yield ValidationError("enumCaseInsensitive")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pattern(_: Validator, pattern: str, value: Any, __: Schema) -> Errors:
    # The patterns are Java's, which knows \p{L}.
    if isinstance(value, str) and not _compiled(pattern).search(value):
        yield ValidationError("pattern")


@cache
def _compiled(pattern: str) -> Any:
    return regex.compile(pattern)


def _minimum(_: Validator, least: float, value: Any, __: Schema) -> Errors:
    if (number := _number(value)) is not None and number < least:
        yield ValidationError("minimum")


def _maximum(_: Validator, most: float, value: Any, __: Schema) -> Errors:
    if (number := _number(value)) is not None and number > most:
        yield ValidationError("maximum")


def _one_of(validator: Validator, schemas: list[Schema], value: Any, schema: Schema) -> Errors:
    if not _has_unresolved(value):
        yield from Draft7Validator.VALIDATORS["oneOf"](validator, schemas, value, schema)


def _has_unresolved(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_unresolved, value.values()))
    return any(map(_has_unresolved, value)) if isinstance(value, list) else isinstance(value, Unresolved)


def _required_xor(_: Validator, names: list[str], value: Any, __: Schema) -> Errors:
    if isinstance(value, Mapping) and len(value.keys() & set(names)) != 1:
        yield ValidationError("requiredXor")


def _required_or(_: Validator, names: list[str], value: Any, __: Schema) -> Errors:
    if isinstance(value, Mapping) and not value.keys() & set(names):
        yield ValidationError("requiredOr")


def _dependent_required(_: Validator, names: Mapping[str, list[str]], value: Any, __: Schema) -> Errors:
    if isinstance(value, Mapping):
        for name in value.keys() & names.keys():
            if not set(names[name]) <= value.keys():
                yield ValidationError("dependentRequired")


def _dependent_excluded(_: Validator, names: Mapping[str, list[str]], value: Any, __: Schema) -> Errors:
    if isinstance(value, Mapping):
        for name in value.keys() & names.keys():
            if set(names[name]) & value.keys():
                yield ValidationError("dependentExcluded")


def _unique_keys(_: Validator, keys: list[str], value: Any, __: Schema) -> Errors:
    if isinstance(value, list):
        found = [
            tuple(item.get(key) for key in keys)
            for item in value
            if isinstance(item, Mapping) and not _has_unresolved([item.get(key) for key in keys])
        ]
        if any(found.count(each) > 1 for each in found):
            yield ValidationError("uniqueKeys")


_Validator = extend(
    Draft7Validator,
    {
        "type": _type,
        "enum": _enum,
        "enumCaseInsensitive": _enum_ignoring_case,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "minimum": _minimum,
        "maximum": _maximum,
        "oneOf": _one_of,
        "requiredXor": _required_xor,
        "requiredOr": _required_or,
        "dependentRequired": _dependent_required,
        "dependentExcluded": _dependent_excluded,
        "uniqueKeys": _unique_keys,
    },
)
