"""The schemas of CloudFormation's resource types, which cfn-lint ships, and what violates them.

The schemas: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import ValidationError
from jsonschema.protocols import Validator

from local_aws.core.schema_keywords import Schema, extraneous_keys, validator_of

REGION = "us-east-1"
# AWS's names of the types: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1005
TYPE_NAMES = {"array": "JSONArray", "object": "JSONObject"}
# Values that the schema of AWS has, and the one of cfn-lint has not, since the type itself refuses them.
WITHOUT_ENUM = {"AWS::SSM::Parameter": ("Type",)}
# Left out of the schemas, to make them half as large.
NO_SETTINGS = frozenset({"description", "handlers", "tagging", "sourceUrl", "documentationUrl", "$schema"})


@dataclass(frozen=True)
class Violation:
    """One violation of a schema: where, in the words of a resource's creation, and of the validation before.

    A structural one is of types, missing and unknown properties, and not of a property's value.

    The first: https://github.com/aws-cloudformation/iac-model-evaluation/issues/29
    The second: https://github.com/aws/aws-cdk-cli/pull/1463
    """

    path: tuple[str, ...]
    message: str
    reason: str
    is_structural: bool = True


@cache
def _folder() -> Path:
    """Return the folder of cfn-lint's data. To import cfn-lint would take 60 MB."""
    found = importlib.util.find_spec("cfnlint")
    if found is None or found.origin is None:
        raise RuntimeError("cfn-lint is not installed: run `make setup`")
    return Path(found.origin).parent / "data" / "schemas"


@cache
def _files() -> Mapping[str, str]:
    files: dict[str, str] = json.loads((_folder() / "providers" / f"{REGION}.json").read_text("utf-8"))
    return files


def is_resource_type(resource_type: str) -> bool:
    """Return whether AWS has this resource type."""
    return resource_type in _files()


@cache
def schema_of(resource_type: str) -> Schema | None:
    """Return the schema of a resource type without its descriptions, or None if AWS has no such type."""
    if not is_resource_type(resource_type):
        return None
    text = (_folder() / "resources" / f"{_files()[resource_type]}.json").read_text("utf-8")
    schema: Schema = json.loads(text, object_hook=_without_descriptions)
    for name in WITHOUT_ENUM.get(resource_type, ()):
        schema["properties"][name].pop("enum", None)
    return schema


def _without_descriptions(value: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in value.items() if k not in NO_SETTINGS or not isinstance(v, str)}


@cache
def _validator(resource_type: str) -> Validator | None:
    schema = schema_of(resource_type)
    return None if schema is None else validator_of(schema)


def violations(resource_type: str, properties: Mapping[str, Any]) -> list[Violation]:
    """Return what violates the schema of a resource type. One without a schema (`Custom::...`) has none."""
    validator = _validator(resource_type)
    errors = validator.iter_errors(properties) if validator is not None else ()
    return [each for error in errors for each in _of_error(error)]


def _of_error(error: ValidationError) -> Iterator[Violation]:
    path = tuple(map(str, error.absolute_path))
    if error.validator == "required":
        # jsonschema has one error for each missing key, which only its message names.
        for key in filter(lambda key: error.message.startswith(repr(key)), error.validator_value):
            yield Violation(path, f"required key [{key}] not found", f"Required property [{key}] not found")
    elif error.validator == "additionalProperties":
        for key in extraneous_keys(error.schema, error.instance):
            yield Violation(path, f"extraneous key [{key}] is not permitted", f"Unsupported property [{key}]")
    elif error.validator == "type":
        words = _expected(error)
        yield Violation(path, words, f"Property [{path[-1] if path else ''}] {words}")
    else:
        words = f"failed validation constraint for keyword [{error.validator}]"
        yield Violation(path, words, _enum_reason(error) or f"{pointer(path)}: {words}", is_structural=False)


def _expected(error: ValidationError) -> str:
    wanted = error.validator_value
    first = wanted if isinstance(wanted, str) else wanted[0]
    name = TYPE_NAMES.get(first, first.capitalize())
    return f"expected type: {name}, found: {_type_name(error.instance)}"


def _enum_reason(error: ValidationError) -> str | None:
    if error.validator != "enum":
        return None
    supported = ", ".join(map(str, error.validator_value))
    return f"{error.instance} is not a valid enum value. Supported values: [{supported}]"


def pointer(path: tuple[str, ...]) -> str:
    """Return the JSON pointer of a property, as `#/Tags/0`."""
    return "/".join(["#", *path])


def _type_name(value: Any) -> str:
    if isinstance(value, Mapping):
        return "JSONObject"
    if isinstance(value, list):
        return "JSONArray"
    return {bool: "Boolean", int: "Integer", float: "Number"}.get(type(value), "String")
