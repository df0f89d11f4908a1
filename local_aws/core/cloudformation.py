"""CloudFormation resource types of our services, and a template's properties as API arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local_aws.core.api import AwsError, service_model

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class ResourceType:
    """How one CloudFormation type is created, updated and deleted.

    `create(properties, logical_id, stack_name)` returns the physical id (what `Ref` gives) and the
    attributes (what `Fn::GetAtt` gives). `update(physical_id, old, new)` returns the attributes; a change of
    a property in `replaced_by` is a replacement, so `create` and then `delete`. `delete(physical_id,
    properties)` raises when the resource cannot be deleted, and returns when it does not exist.
    """

    create: Callable[[Properties, str, str], tuple[str, dict[str, Any]]]
    delete: Callable[[str, Properties], None]
    update: Callable[[str, Properties, Properties], dict[str, Any]] | None = None
    replaced_by: frozenset[str] = field(default_factory=frozenset)


def arguments(service: str, operation: str, properties: Properties) -> dict[str, Any]:
    """Return a template's `Properties` as arguments of `operation`: AWS's casing, numbers and booleans typed.

    Raises `AwsError` with the path of a property that the operation does not have: ignoring it would
    silently drop a setting.
    """
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        raise ValueError(f"{service}:{operation} takes no input")
    return _convert_structure(shape, properties, "")


def convert(shape: Shape, value: Any, path: str = "") -> Any:
    """Convert one template value to `shape` (a botocore shape); keys of a map stay as they are."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return _convert_structure(shape, value, path)
    if isinstance(shape, ListShape) and isinstance(value, list | tuple):
        return [convert(shape.member, item, f"{path}{n}.") for n, item in enumerate(value)]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {key: convert(shape.value, item, f"{path}{key}.") for key, item in value.items()}
    return _scalar(shape.type_name, value)


def _convert_structure(shape: StructureShape, value: Mapping[str, Any], path: str) -> dict[str, Any]:
    members = {name.lower(): name for name in shape.members}
    converted = {}
    for key, item in value.items():
        name = members.get(key.lower())
        if name is None:
            # One that the schema of the type does not have either is refused before.
            message = f"local_aws does not support the property {path}{key}"
            raise AwsError("UnsupportedOperation", message, 501)
        converted[name] = convert(shape.members[name], item, f"{path}{key}.")
    return converted


def _scalar(type_name: str, value: Any) -> Any:
    if type_name == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if type_name in ("integer", "long") and isinstance(value, str):
        return int(value)
    if type_name in ("double", "float") and isinstance(value, str | int):
        return float(value)
    if type_name == "string" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value
