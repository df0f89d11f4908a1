"""Parses the operation and the parameters of an HTTP request, with botocore's service models."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel

from local_aws.core.api import service_model

# The name in a signature's scope -> botocore's name of the service, where they differ.
MODELS = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
}
# The name in a signature's scope -> the prefix of its actions, where they differ.
PREFIXES = {"monitoring": "cloudwatch"}

# The services with AWS's query protocol, some of them besides another.
QUERY_SERVICES = frozenset({"cloudformation", "cloudwatch", "ec2", "elbv2", "iam", "sns", "sqs", "sts"})

_HEADER = re.compile(r"AWS4-HMAC-SHA256 Credential=(?P<scope>[^,\s]+)")
_RPC = re.compile(r"/service/[^/]+/operation/(?P<operation>[^/]+)\Z")


class WrongScopeError(Exception):
    """A request is signed for another service than it is sent to."""


@dataclass(frozen=True)
class HttpRequest:
    """One request. Headers have lower-case names; `raw_path` and `query_string` are as they were sent."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""
    raw_path: str = ""
    query_string: str = ""


@dataclass(frozen=True)
class Credential:
    """The access key that signed a request, and the region and service that it is signed for."""

    access_key: str
    region: str
    service: str
    token: str


@dataclass(frozen=True)
class Call:
    """One operation of a service (its IAM prefix). Its parameters are parsed when they are first read."""

    service: str
    operation: str
    read: Callable[[], Mapping[str, Any]]

    @cached_property
    def params(self) -> Mapping[str, Any]:
        """The parameters that IAM and the checks need."""
        return self.read()


def credential(request: HttpRequest) -> Credential | None:
    """Return the credential of a request, from its header or its query, or None if it is not signed."""
    found = _HEADER.match(request.headers.get("authorization", ""))
    if found is not None:
        scope, token = found["scope"], request.headers.get("x-amz-security-token", "")
    else:
        scope, token = (
            _first(request.query, "X-Amz-Credential"),
            _first(request.query, "X-Amz-Security-Token"),
        )
    parts = scope.split("/")
    return Credential(parts[0], parts[2], parts[3], token) if len(parts) == 5 else None


def parse_call(request: HttpRequest, service: str) -> Call:
    """Parse a request that is signed for `service`. Raises `WrongScopeError`.

    An operation that no model has is named after its HTTP method, and is evaluated on `*`.
    """
    prefix = PREFIXES.get(service, service)
    model = MODELS.get(service, service)
    target, _, operation = request.headers.get("x-amz-target", "").rpartition(".")
    if operation:
        if target != _target_prefix(model):
            raise WrongScopeError(service)
        return Call(prefix, operation, lambda: _json(request.body))
    rpc = _RPC.match(request.path)
    if rpc is not None:
        return Call(prefix, rpc["operation"], dict)
    form = form_of(request) if model in QUERY_SERVICES else {}
    if "Action" in form:
        return Call(prefix, form["Action"], lambda: _tree(form))
    return _parse_rest(request, prefix, model)


def lacks_members(call: Call, service: str) -> bool:
    """Return whether a call lacks a required member: the service refuses it, whoever calls."""
    model = service_model(service)
    if call.operation not in model.operation_names:
        return False
    shape = model.operation_model(call.operation).input_shape
    return shape is not None and not set(shape.required_members) <= call.params.keys()


@dataclass(frozen=True)
class _Route:
    method: str
    path: re.Pattern[str]
    # Required query parameters, with their value if it is fixed.
    query: Mapping[str, str]
    headers: frozenset[str]
    # The number of literal characters in the path.
    literal: int
    operation: str

    @property
    def specificity(self) -> tuple[int, int]:
        return len(self.query) + len(self.headers), self.literal

    def match(self, request: HttpRequest) -> Mapping[str, str] | None:
        """Return the parameters in a request's path, or None if the request is not for this operation."""
        found = self.path.fullmatch(request.path) if self.method == request.method else None
        if found is None or not self.headers <= request.headers.keys():
            return None
        for name, value in self.query.items():
            if name not in request.query or (value and value not in request.query[name]):
                return None
        return {name: unquote(value) for name, value in found.groupdict().items()}


def _parse_rest(request: HttpRequest, prefix: str, model: str) -> Call:
    for route in _routes(model):
        found = route.match(request)
        if found is not None:
            return Call(prefix, route.operation, partial(_rest_params, request, model, found))
    return Call(prefix, f"Unknown{request.method.title()}", dict)


def _rest_params(request: HttpRequest, model: str, path: Mapping[str, str]) -> dict[str, Any]:
    query = {name: values[0] for name, values in request.query.items()}
    body = _json(request.body) if model != "s3" else {}
    return {**query, **body, **path}


@lru_cache
def _routes(model: str) -> tuple[_Route, ...]:
    """Return a service's routes, the most specific first."""
    try:
        service = service_model(model)
    except UnknownServiceError:
        return ()
    routes = (_route(service.operation_model(name)) for name in service.operation_names)
    return tuple(sorted(routes, key=lambda route: route.specificity, reverse=True))


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    pattern, literal = _path_pattern(path)
    fixed = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    required = dict.fromkeys(_required(operation, "querystring"), "")
    headers = frozenset(name.lower() for name in _required(operation, "header"))
    return _Route(operation.http["method"], pattern, required | fixed, headers, literal, operation.name)


def _path_pattern(path: str) -> tuple[re.Pattern[str], int]:
    """Return the pattern of a path template (`/{Bucket}/{Key+}`), and its number of literal characters."""
    pattern, literal = "", 0
    for part in re.split(r"(\{[^}]+\})", path):
        if part.startswith("{"):
            pattern += f"(?P<{part.strip('{}+')}>{'.+' if part.endswith('+}') else '[^/]+'})"
        else:
            pattern += re.escape(part)
            literal += len(part)
    return re.compile(pattern + "/?"), literal


def _required(operation: OperationModel, location: str) -> Iterator[str]:
    """Yield the names of the required members of an operation in its query string or header."""
    shape = operation.input_shape
    for member in shape.required_members if shape is not None else ():
        serialization = shape.members[member].serialization
        if serialization.get("location") == location:
            yield serialization["name"]


@lru_cache
def _target_prefix(model: str) -> str:
    try:
        return str(service_model(model).metadata.get("targetPrefix", ""))
    except UnknownServiceError:
        return ""


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        # The service rejects what is not JSON.
        return {}
    return content if isinstance(content, dict) else {}


def form_of(request: HttpRequest) -> dict[str, str]:
    """Return the parameters of AWS's query protocol as they are sent: `Tags.member.1.Key=a`."""
    flat = {name: values[0] for name, values in request.query.items()}
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        text = request.body.decode("utf-8", "replace")
        flat |= {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
    return flat


def _tree(form: Mapping[str, str]) -> dict[str, Any]:
    """Return nested parameters: `Tags.member.1.Key=a` is `{"Tags": [{"Key": "a"}]}`."""
    tree: dict[str, Any] = {}
    for name, value in form.items():
        place = tree
        *folders, last = name.split(".")
        for folder in folders:
            below = place.setdefault(folder, {})
            place = below if isinstance(below, dict) else {}
        place[last] = value
    shaped = _lists(tree)
    return shaped if isinstance(shaped, dict) else {}


def _lists(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    inner = tree["member"] if tree.keys() == {"member"} else tree
    if isinstance(inner, dict) and inner and all(key.isdecimal() for key in inner):
        return [_lists(inner[key]) for key in sorted(inner, key=int)]
    return {key: _lists(value) for key, value in tree.items()}


def _first(query: Mapping[str, list[str]], name: str) -> str:
    return next(iter(query.get(name, [])), "")
