"""An AWS service with a JSON protocol: operations are methods, validated against botocore's models."""

import asyncio
import base64
import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from copy import deepcopy
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from local_aws.core import conformance, declared_errors, pagination, tag_rules
from local_aws.core.clients import is_internal
from local_aws.core.context import Context
from local_aws.core.quotas import quota_error

# The access key of the current request; empty when the request is not signed.
CALLER: ContextVar[str] = ContextVar("CALLER", default="")
# Whether the current call may set and remove tags of AWS's own, as CloudFormation's do.
MAY_SET_SYSTEM_TAGS: ContextVar[bool] = ContextVar("MAY_SET_SYSTEM_TAGS", default=True)
_KEY = re.compile(r"Credential=([^/\s]+)/")

Response = tuple[int, dict[str, str], bytes]


class AwsError(Exception):
    """An error of AWS: `code` is that of the service's API reference, `message` is AWS's."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@lru_cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of `service`, which boto3 and the AWS CLI use too.

    It is not shared with our own clients: S3's remove the bucket from the paths of their model.
    """
    model: ServiceModel = botocore.session.get_session().get_service_model(service)
    return model


def check_quota(service: str, operation: str, number: int) -> None:
    """Raise `AwsError` for one more than `number` of what an operation creates, beyond its quota."""
    error = quota_error(service, operation, number)
    if error is not None:
        raise AwsError(*error)


# Operation -> a function of the service and the parameters.
Counts = Mapping[str, Callable[[Any, Mapping[str, Any]], int]]


class JsonService:
    """One AWS service. An operation is a method with its name in snake case: it takes and returns a dict.

    Methods run one at a time, under `self.lock`; an engine thread takes the same lock to change state.
    A method raises `AwsError` to reject a request. An operation without a method is `UnsupportedOperation`
    (HTTP 501).
    """

    service: ClassVar[str]
    # The attributes that persist across restarts, SIGKILL included.
    persisted: ClassVar[tuple[str, ...]] = ()
    # How many there are of what an operation creates, for its quota; -1: it creates nothing.
    counts: ClassVar[Counts] = {}
    # AWS's own messages for invalid members, by code.
    messages: ClassVar[Mapping[str, str]] = {}

    def __init__(self, context: Context) -> None:
        self.context = context
        self.lock = threading.RLock()
        self.model = service_model(self.service)

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return the persisted attributes by name."""
        return {name: getattr(self, name) for name in self.persisted}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Set the attributes of a snapshot."""
        for name, value in snapshot.items():
            setattr(self, name, value)

    def shared(self) -> Mapping[str, Any]:
        """Return the objects that persisted records refer to and every start creates anew."""
        return {"context": self.context, "lock": self.lock}

    def resume(self) -> None:
        """Resume restored work after the port answers, or mark it as ended."""

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Validate `params` and run `operation`, by its API name (`StartBuild`)."""
        if operation not in self.model.operation_names:
            raise AwsError("UnknownOperationException", f"{self.service} has no operation {operation}", 404)
        method = getattr(self, snake_case(operation), None)
        if method is None:
            raise AwsError(
                "UnsupportedOperation", f"local_aws does not implement {self.service}:{operation}", 501
            )
        model = self.model.operation_model(operation)
        try:
            self._validate(model, params)
            with self.lock:
                self.check_resources(model, params)
                self._check_quota(operation, params)
                # A copy: it is serialized without the lock, and the records may change meanwhile.
                output: dict[str, Any] = deepcopy(method(dict(params)) or {})
            output = pagination.paginate(self.service, model, params, output)
        except pagination.PaginationError as error:
            raise AwsError(error.code, str(error)) from error
        except AwsError as error:
            if not conformance.declares(model, error.code):
                self.report_violation(operation, f"raises {error.code}, which its model does not declare")
            raise
        for violation in conformance.output_violations(model.output_shape, output):
            self.report_violation(operation, violation)
        return output

    def check_resources(self, operation: OperationModel, params: Mapping[str, Any]) -> None:
        """Raise `AwsError` if something that any operation may name cannot be used (under the lock)."""

    def _check_quota(self, operation: str, params: Mapping[str, Any]) -> None:
        count = self.counts.get(operation)
        if count is not None:
            check_quota(self.service, operation, count(self, params))

    def _validate(self, operation: OperationModel, params: Mapping[str, Any]) -> None:
        shape = operation.input_shape
        if shape is None:
            return
        error = declared_errors.required_error(operation, params)
        report = ParamValidator().validate(dict(params), shape)
        if error is None and any(kind not in conformance.BOUNDS for kind, _, _ in report._errors):
            error = "ValidationException", report.generate_report().replace("\n", " ")
        error = error or conformance.input_error(operation, params)
        error = error or tag_rules.tag_error(operation, params, system=MAY_SET_SYSTEM_TAGS.get())
        if error is not None:
            code, message = error
            raise AwsError(code, self.messages.get(code, message))

    def report_violation(self, operation: str, violation: str) -> None:
        """Record a difference from AWS's model as a background error, which fails every run of ours."""
        self.context.background_errors.append(f"{self.service}:{operation}: {violation}")

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        """Handle one HTTP request of AWS's JSON protocol, with the signature of MiniStack's handlers."""
        found = _KEY.search(headers.get("authorization", ""))
        CALLER.set(found[1] if found else "")
        MAY_SET_SYSTEM_TAGS.set(is_internal(headers))
        return await asyncio.to_thread(self._respond, headers.get("x-amz-target", ""), body)

    def _respond(self, target: str, body: bytes) -> Response:
        operation = target.rpartition(".")[2]
        try:
            params = self._parse(operation, body)
            return _response(200, self.call(operation, params))
        except AwsError as error:
            content = {"__type": error.code, "message": error.message}
            return _response(error.status, content, {"x-amzn-errortype": error.code})

    def _parse(self, operation: str, body: bytes) -> dict[str, Any]:
        try:
            raw = json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise AwsError("SerializationException", f"the request body is not JSON: {error}") from error
        if operation not in self.model.operation_names:
            return {}
        shape = self._input(operation)
        try:
            parsed = parse_value(shape, raw) if shape is not None else raw
            return dict(parsed)
        except (ValueError, TypeError, OverflowError, OSError) as error:
            raise AwsError(
                "SerializationException", f"the request body has a wrong value: {error}"
            ) from error

    def _input(self, operation: str) -> StructureShape | None:
        model: OperationModel = self.model.operation_model(operation)
        return model.input_shape


def snake_case(operation: str) -> str:
    """Return the method name of an operation: `BatchGetBuilds` is `batch_get_builds`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", operation).lower()


def parse_value(shape: Shape, value: Any) -> Any:
    """Convert a JSON value to what botocore's validator expects: blobs to bytes, epochs to datetimes."""
    if value is None:
        return None
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return _parse_structure(shape, value)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [parse_value(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: parse_value(shape.value, item) for key, item in value.items()}
    return _parse_scalar(shape, value)


def _parse_structure(shape: StructureShape, value: dict[str, Any]) -> dict[str, Any]:
    members = shape.members
    present = {name: item for name, item in value.items() if name in members and item is not None}
    return {name: parse_value(members[name], item) for name, item in present.items()}


def _parse_scalar(shape: Shape, value: Any) -> Any:
    if shape.type_name == "blob":
        return base64.b64decode(value)
    if shape.type_name == "timestamp" and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return value


def _response(status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(content, default=_serialize_scalar).encode()
    request_id = {"x-amzn-requestid": str(uuid.uuid4())}
    return status, {"Content-Type": "application/x-amz-json-1.1", **request_id, **(headers or {})}, body


def _serialize_scalar(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"a JSON response cannot hold {type(value).__name__}")


def now() -> datetime:
    """Return the current time in UTC, for the timestamps of records."""
    return datetime.now(UTC)
