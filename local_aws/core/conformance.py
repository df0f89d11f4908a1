"""Validation against botocore's models: the inputs, outputs and errors that an operation declares."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from local_aws.core import declared_errors
from local_aws.core.declared_errors import Chain

# The Python types of a value, by its type in the model.
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes,),
}
# What botocore's validator calls values outside of the model's bounds, for which services have own codes.
BOUNDS = frozenset({"invalid range", "invalid length"})
# Any operation of any service may return these, or the models do not list what the services return.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html
COMMON_ERRORS = frozenset(
    {
        "AccessDeniedException",
        "SerializationException",
        "UnknownOperationException",
        "ValidationException",
        # Not AWS's: an operation or a setting that local_aws does not have.
        "UnsupportedOperation",
    }
)
# What an operation returns besides: its model does not list it. moto has AWS's message for UpdatePipeline:
# https://github.com/getmoto/moto/blob/master/tests/test_codepipeline/test_codepipeline.py
UNDECLARED_ERRORS = frozenset({("codepipeline", "UpdatePipeline", "ResourceNotFoundException")})
# The services whose code for an invalid input is not the common ValidationException.
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html#API_CreateRepository_Errors
# https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html#API_GetServiceQuota_Errors
INVALID_INPUT_CODES = {
    "ecr": "InvalidParameterException",
    "ecs": "InvalidParameterException",
    "service-quotas": "IllegalArgumentException",
}


def input_error(operation: OperationModel, params: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the code and message that reject an input, or None for a valid one.

    CodeCommit and CodeDeploy have a code for each member: InvalidBranchNameException.
    """
    too_long = declared_errors.limit_error(operation, params)
    if too_long is not None:
        return too_long
    service = operation.service_model.service_name
    found = list(input_violations(operation.input_shape, params, service))
    if not found:
        return None
    chain, message = found[0]
    member = chain[-1][0]
    member_code = declared_errors.invalid_code(operation, chain)
    if member_code is not None:
        label = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", member).lower()
        return member_code, f"The {label} is not valid. {message}"
    code = INVALID_INPUT_CODES.get(service, "ValidationException")
    if service == "ecr":
        constraint = message.rpartition("Member ")[2]
        return code, f"Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
    return code, count + "; ".join(each for _, each in found)


def input_violations(
    shape: Shape | None, value: Any, service: str, path: str = "", chain: Chain = ()
) -> Iterator[tuple[Chain, str]]:
    """Yield the members down to each invalid value, and AWS's message. Its types are already validated."""
    if shape is None:
        return
    if not isinstance(shape, StructureShape):
        yield from (
            (chain, _message(value, path, each)) for each in _failed_constraints(shape, value, service)
        )
    for part, content, below in _parts(shape, value, path):
        member = below.rpartition(".")[2]
        inner = (
            (*chain, (member, part))
            if isinstance(shape, StructureShape)
            else (*chain[:-1], (chain[-1][0], part))
        )
        yield from input_violations(part, content, service, below, inner)


def _parts(shape: Shape, value: Any, path: str) -> Iterator[tuple[Shape, Any, str]]:
    """Yield shape, value and path of everything directly inside `value`."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if name in value:
                yield member, value[name], f"{path}.{name}" if path else name
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value, 1):
            yield shape.member, item, f"{path}.{number}.member"
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield shape.key, key, path
            yield shape.value, item, f"{path}.{key}.member"


def _message(value: Any, path: str, constraint: str) -> str:
    shown = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {constraint}"


def _failed_constraints(shape: Shape, value: Any, service: str) -> Iterator[str]:
    yield from _failed_bounds(shape.metadata, value)
    pattern = shape.metadata.get("pattern", declared_errors.PATTERNS.get((service, shape.name)))
    if pattern and isinstance(value, str) and not _matches(pattern, value):
        yield f"satisfy regular expression pattern: {pattern}"
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"satisfy enum value set: [{', '.join(shape.enum)}]"


def _failed_bounds(bounds: Mapping[str, Any], value: Any) -> Iterator[str]:
    sized = isinstance(value, str | bytes | list | dict)
    size, unit = (len(value), "have length") if sized else (value, "have value")
    if isinstance(size, bool) or not isinstance(size, int | float):
        return
    if size < bounds.get("min", size):
        yield f"{unit} greater than or equal to {bounds['min']}"
    if size > bounds.get("max", size):
        yield f"{unit} less than or equal to {bounds['max']}"


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return a model's pattern, or None for Java or ECMAScript syntax that Python's `re` does not have."""
    try:
        return re.compile(pattern)
    except re.error:
        return None


def output_violations(shape: Shape | None, value: Any, path: str = "output") -> Iterator[str]:
    """Yield where an output does not have the shape that clients parse."""
    if shape is None:
        if value:
            yield f"{path} must be empty"
    elif isinstance(shape, StructureShape):
        yield from _structure_violations(shape, value, path)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for number, item in enumerate(value):
            yield from output_violations(shape.member, item, f"{path}[{number}]")
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for key, item in value.items():
            yield from output_violations(shape.key, key, f"key {key!r} of {path}")
            yield from output_violations(shape.value, item, f"{path}[{key!r}]")
    else:
        yield from _scalar_violations(shape, value, path)


def _scalar_violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    is_of_type = isinstance(value, TYPES.get(shape.type_name, ()))
    if not is_of_type or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield f"{path} must be of type {shape.type_name}, not {type(value).__name__}"
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, none of {', '.join(shape.enum)}"


def _structure_violations(shape: StructureShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path} must be a structure, not {type(value).__name__}"
        return
    for name in shape.required_members:
        if name not in value:
            yield f"{path} lacks {name}"
    for name, item in value.items():
        if name not in shape.members:
            yield f"{path} has {name}, which is not in the model"
        else:
            yield from output_violations(shape.members[name], item, f"{path}.{name}")


def declares(operation: OperationModel, code: str) -> bool:
    """Return whether an operation's model lists an error, or every operation may return it."""
    service = operation.service_model.service_name
    if code in COMMON_ERRORS or (service, operation.name, code) in UNDECLARED_ERRORS:
        return True
    return any(code in (shape.error_code, shape.name) for shape in operation.error_shapes)
