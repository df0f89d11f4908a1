"""What botocore's models say of an operation: which input it takes, what its answer is, how it may refuse."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

# What a value is in Python, by the type that the model gives it.
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
# Any operation of any service may answer so, or the models do not list what the services say.
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


# Where the framework's own code is not what a service says.
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html#API_CreateRepository_Errors
REFUSALS = {"ecr": "InvalidParameterException", "ecs": "InvalidParameterException"}


def refusal(operation: OperationModel, params: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return code and words with which an input is refused, None for a good one.

    CodeCommit and CodeDeploy have a code for each member: InvalidBranchNameException.
    """
    found = list(violations(operation.input_shape, params))
    if not found:
        return None
    service = operation.service_model.service_name
    declared = {shape.name for shape in operation.error_shapes}
    member, rule = found[0]
    own = f"Invalid{member[:1].upper()}{member[1:]}Exception"
    if own in declared:
        called = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", member).lower()
        return own, f"The {called} is not valid. {rule}"
    code = REFUSALS.get(service, "ValidationException")
    if service == "ecr":
        words = rule.rpartition("Member ")[2]
        return code, f"Invalid parameter at '{member}' failed to satisfy constraint: '{words}'"
    many = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
    return code, many + "; ".join(words for _, words in found)


def violations(shape: Shape | None, value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield which member of an input is refused, and AWS's words; its types were checked before."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if name in value:
                yield from violations(member, value[name], f"{path}.{name}" if path else name)
        return
    if shape is None:
        return
    member = path.rpartition(".")[2]
    yield from ((member, _said(value, path, rule)) for rule in _broken(shape, value))
    if isinstance(shape, ListShape):
        for number, one in enumerate(value, 1):
            yield from violations(shape.member, one, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        for key, one in value.items():
            yield from violations(shape.key, key, path)
            yield from violations(shape.value, one, f"{path}.{key}.member")


def _said(value: Any, path: str, rule: str) -> str:
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    shown = f"[{shown}]" if isinstance(value, list) else shown
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {rule}"


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    limits = shape.metadata
    sized = isinstance(value, str | bytes | list | dict)
    size, unit = (len(value), "have length ") if sized else (value, "have value ")
    if "min" in limits and _is_number(size) and size < limits["min"]:
        yield f"{unit}greater than or equal to {limits['min']}"
    if "max" in limits and _is_number(size) and size > limits["max"]:
        yield f"{unit}less than or equal to {limits['max']}"
    pattern = limits.get("pattern")
    if pattern and isinstance(value, str) and not _matches(pattern, value):
        yield f"satisfy regular expression pattern: {pattern}"
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"satisfy enum value set: [{', '.join(shape.enum)}]"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return a pattern of a model; None for one in Java's or ECMAScript's words that Python's `re` lacks."""
    try:
        return re.compile(pattern)
    except re.error:
        return None


def output_violations(shape: Shape | None, value: Any, path: str = "answer") -> Iterator[str]:
    """Yield where an answer does not have the shape that clients read it by."""
    if shape is None:
        if value:
            yield f"{path} is to be empty"
    elif isinstance(shape, StructureShape):
        yield from _misfits_of_structure(shape, value, path)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for number, one in enumerate(value):
            yield from output_violations(shape.member, one, f"{path}[{number}]")
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for key, one in value.items():
            yield from output_violations(shape.key, key, f"key {key!r} of {path}")
            yield from output_violations(shape.value, one, f"{path}[{key!r}]")
    else:
        yield from _misfits_of_value(shape, value, path)


def _misfits_of_value(shape: Shape, value: Any, path: str) -> Iterator[str]:
    fits = isinstance(value, TYPES.get(shape.type_name, ()))
    if not fits or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield f"{path} is no {shape.type_name} but {type(value).__name__}"
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, none of {', '.join(shape.enum)}"


def _misfits_of_structure(shape: StructureShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path} is no structure but {type(value).__name__}"
        return
    for name in shape.required_members:
        if name not in value:
            yield f"{path} lacks {name}"
    for name, one in value.items():
        if name not in shape.members:
            yield f"{path} has {name}, which no client knows"
        else:
            yield from output_violations(shape.members[name], one, f"{path}.{name}")


def declares(operation: OperationModel, code: str) -> bool:
    """Say whether an operation's model lists an error, or every operation may give it."""
    return code in COMMON_ERRORS or code in {shape.error_code for shape in operation.error_shapes} | {
        shape.name for shape in operation.error_shapes
    }
