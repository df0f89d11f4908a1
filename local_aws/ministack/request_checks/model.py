"""A request's members as botocore's model has them, and where they are not as it allows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from local_aws.core.api import parse_value, service_model
from local_aws.core.clients import SESSION
from local_aws.core.conformance import input_violations
from local_aws.ministack.request_checks.rules import Checks, Error


@dataclass(frozen=True)
class Request:
    """One HTTP request, as MiniStack's handlers take it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, list[str]]


@cache
def model_of(service: str) -> ServiceModel:
    """Return the model of a service. That of EC2 is large: it is the one of our own clients."""
    model: ServiceModel = SESSION.get_service_model(service) if service == "ec2" else service_model(service)
    return model


def parsed(service: str, name: str, raw: Mapping[str, Any], request: Request) -> dict[str, Any] | None:
    """Return a request's members, or None for an operation that AWS does not have, or an unreadable body.

    `raw` has them as texts where the protocol is AWS's query protocol, else as in JSON.
    """
    model = model_of(service)
    if name not in model.operation_names:
        return None
    shape = model.operation_model(name).input_shape
    if shape is None:
        return {}
    try:
        if "cbor" in request.headers.get("content-type", ""):
            return None
        if service in ("ec2", "s3"):
            return _by_member(shape, raw, request.body)
        if model.metadata["protocol"] == "rest-json":
            return _rest(shape, raw, request.body)
        if "x-amz-target" in request.headers:
            return dict(parse_value(shape, raw))
        return dict(_query(shape, raw))
    except (ValueError, TypeError, AttributeError, LookupError):
        # The service refuses what it cannot read.
        return None


def _by_member(shape: StructureShape, raw: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """Return the members of EC2 and S3 by the names in the model, and those of lists by both."""
    named = {
        name: raw[sent] for name, member in shape.members.items() if (sent := _sent(name, member)) in raw
    }
    return {**raw, **named, "body": body}


def _sent(name: str, member: Shape) -> str:
    """Return the name of a member in a request."""
    given = str(member.serialization.get("queryName") or member.serialization.get("name") or name)
    return given if "location" in member.serialization else given[:1].upper() + given[1:]


def _rest(shape: StructureShape, raw: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    members: dict[str, Any] = {}
    payload = shape.serialization.get("payload")
    for name, member in shape.members.items():
        sent = member.serialization.get("name", name)
        if name == payload:
            members[name] = body
        elif sent in raw and raw[sent] is not None:
            in_body = "location" not in member.serialization
            members[name] = parse_value(member, raw[sent]) if in_body else _query(member, raw[sent])
    return members


def _query(shape: Shape, value: Any) -> Any:
    """Return a value of the query protocol, or one of a path, with the type of its shape."""
    if isinstance(shape, StructureShape):
        sent = {name: member.serialization.get("name", name) for name, member in shape.members.items()}
        return {name: _query(shape.members[name], value[key]) for name, key in sent.items() if key in value}
    if isinstance(shape, ListShape):
        given = value if isinstance(value, list) else [value] * bool(value)
        return [_query(shape.member, item) for item in given]
    return _query_map(shape, value) if isinstance(shape, MapShape) else _scalar(shape, value)


def _query_map(shape: MapShape, value: Mapping[str, Any]) -> dict[str, Any]:
    key, item = (each.serialization.get("name", name) for each, name in _parts(shape))
    return {entry[key]: _query(shape.value, entry.get(item, "")) for entry in value["entry"]}


def _parts(shape: MapShape) -> tuple[tuple[Shape, str], tuple[Shape, str]]:
    """Return the shapes of a map's entries with their names, where the shape has none of its own."""
    return (shape.key, "key"), (shape.value, "value")


def _scalar(shape: Shape, text: str) -> Any:
    if shape.type_name in ("integer", "long"):
        return int(text)
    return text == "true" if shape.type_name == "boolean" else text


def model_error(service: str, operation: str, params: Mapping[str, Any], checks: Checks) -> Error | None:
    """Return the error for a required member that is missing, or a value that the model does not allow."""
    shape = model_of(service).operation_model(operation).input_shape
    if shape is None:
        return None
    missing = list(_missing(shape, params))
    if missing and checks.missing:
        return checks.missing, f"The request must contain the parameter {missing[0]}"
    found = list(_violations(service, shape, missing, params)) if checks.invalid else []
    if not found:
        return None
    label = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
    return checks.invalid, f"{label}: {'; '.join(found)}"


def _violations(
    service: str, shape: StructureShape, missing: list[str], params: Mapping[str, Any]
) -> Iterator[str]:
    for name in missing:
        path = name[:1].lower() + name[1:]
        yield f"Value null at '{path}' failed to satisfy constraint: Member must not be null"
    try:
        yield from (message for _, message in input_violations(shape, params, service))
    except (TypeError, AttributeError, LookupError):
        # A value of another type: the service refuses it.
        return


def _missing(shape: StructureShape, params: Mapping[str, Any]) -> Iterator[str]:
    for name in shape.required_members:
        # The path names a resource; a body may be empty.
        if name not in params and shape.members[name].serialization.get("location") != "uri":
            yield name


def status_of(service: str, name: str, code: str) -> int:
    """Return the HTTP status of an error."""
    operation: OperationModel = model_of(service).operation_model(name)
    for shape in operation.error_shapes:
        if shape.error_code == code:
            return int(shape.metadata.get("error", {}).get("httpStatusCode", 400))
    return _STATUSES.get(code, 400)


# Of S3, whose model does not have them: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_STATUSES = {"NoSuchBucket": 404, "NoSuchKey": 404, "BucketNotEmpty": 409}
