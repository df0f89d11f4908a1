"""An AWS service that speaks JSON: requests checked against botocore's own model, operations as methods."""

import asyncio
import base64
import json
import re
import threading
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from copy import deepcopy
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from local_aws.core import conformance, pagination
from local_aws.core.context import Context

# The access key of the request that is being answered; empty when it is signed by nobody.
CALLER: ContextVar[str] = ContextVar("CALLER", default="")
_KEY = re.compile(r"Credential=([^/\s]+)/")

Response = tuple[int, dict[str, str], bytes]


class AwsError(Exception):
    """A refusal in AWS's words: `code` as in the service's API reference, `message` as AWS writes it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@lru_cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of `service`, the same that boto3 and the AWS CLI are made from.

    Not that of our own clients: those of S3 take the bucket out of their model's paths.
    """
    model: ServiceModel = botocore.session.get_session().get_service_model(service)
    return model


class JsonService:
    """One AWS service. An operation is a method of the operation's name in snake case: dict in, dict out.

    Methods run one at a time, under `self.lock`; an engine thread takes the same lock to change state.
    A method raises `AwsError` to refuse. An operation without a method is refused by name (HTTP 501).
    """

    service: ClassVar[str]
    # The attributes that are kept when local_aws ends, by whatever means, and given back at its next start.
    kept: ClassVar[tuple[str, ...]] = ()

    def __init__(self, context: Context) -> None:
        self.context = context
        self.lock = threading.RLock()
        self.model = service_model(self.service)

    def keep(self) -> Mapping[str, Any]:
        """Return what is kept."""
        return {name: getattr(self, name) for name in self.kept}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take back what was kept."""
        for name, value in kept.items():
            setattr(self, name, value)

    def shared(self) -> Mapping[str, Any]:
        """Return what kept records refer to and every start makes anew."""
        return {"context": self.context, "lock": self.lock}

    def resume(self) -> None:
        """Go on with what was kept, once the port answers; or say of it that it ended."""

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Check `params` as AWS does and run `operation` (its API name, as `StartBuild`)."""
        if operation not in self.model.operation_names:
            raise AwsError("UnknownOperationException", f"{self.service} has no operation {operation}", 404)
        method = getattr(self, snake_case(operation), None)
        if method is None:
            raise AwsError(
                "UnsupportedOperation", f"local_aws does not implement {self.service}:{operation}", 501
            )
        model = self.model.operation_model(operation)
        try:
            self._refuse_input(model, params)
            with self.lock:
                # A copy: it is read after the lock is gone, and what it was made from may change.
                answer: dict[str, Any] = deepcopy(method(dict(params)) or {})
            answer = pagination.page(self.service, model, params, answer)
        except pagination.PageError as error:
            raise AwsError(error.code, str(error)) from error
        except AwsError as error:
            if not conformance.declares(model, error.code):
                self.note(operation, f"refuses with {error.code}, which its model does not declare")
            raise
        for misfit in conformance.output_violations(model.output_shape, answer):
            self.note(operation, misfit)
        return answer

    def _refuse_input(self, operation: OperationModel, params: Mapping[str, Any]) -> None:
        shape = operation.input_shape
        if shape is None:
            return
        report = ParamValidator().validate(dict(params), shape)
        if report.has_errors():
            raise AwsError("ValidationException", report.generate_report().replace("\n", " "))
        refusal = conformance.refusal(operation, params)
        if refusal is not None:
            raise AwsError(*refusal)

    def note(self, operation: str, what: str) -> None:
        """Keep what differs from AWS's model: every run of ours fails that meets it."""
        self.context.faults.append(f"{self.service}:{operation}: {what}")

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        """Answer one HTTP request of AWS's JSON protocol (MiniStack's handler signature)."""
        found = _KEY.search(headers.get("authorization", ""))
        CALLER.set(found[1] if found else "")
        return await asyncio.to_thread(self._answer, headers.get("x-amz-target", ""), body)

    def _answer(self, target: str, body: bytes) -> Response:
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
            parsed = from_wire(shape, raw) if shape is not None else raw
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


def from_wire(shape: Shape, value: Any) -> Any:
    """Turn JSON values into what botocore's validator expects: blobs to bytes, epochs to datetimes."""
    if value is None:
        return None
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = shape.members
        return {k: from_wire(members[k], v) for k, v in value.items() if k in members and v is not None}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [from_wire(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {k: from_wire(shape.value, v) for k, v in value.items()}
    if shape.type_name == "blob":
        return base64.b64decode(value)
    if shape.type_name == "timestamp" and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return value


def _response(status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(content, default=_to_wire).encode()
    request_id = {"x-amzn-requestid": str(uuid.uuid4())}
    return status, {"Content-Type": "application/x-amz-json-1.1", **request_id, **(headers or {})}, body


def _to_wire(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no place in an AWS JSON answer")


def now() -> datetime:
    """Return the present moment, as AWS stamps its records."""
    return datetime.now(UTC)
