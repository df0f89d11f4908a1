"""Which operation an HTTP request asks for, and with what: read with botocore's own service models."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel

from local_aws.core.api import service_model

# The name in a signature's scope -> botocore's name of the service, where they differ.
MODELS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
# The name in a signature's scope -> the prefix of its actions, where they differ.
PREFIXES = {"monitoring": "cloudwatch"}

# The services that speak AWS's query protocol, some of them besides another.
QUERIED = frozenset({"cloudformation", "cloudwatch", "ec2", "elbv2", "iam", "sns", "sqs", "sts"})

_HEADER = re.compile(r"AWS4-HMAC-SHA256 Credential=(?P<scope>[^,\s]+)")
_RPC = re.compile(r"/service/[^/]+/operation/(?P<operation>[^/]+)\Z")


class WrongScopeError(Exception):
    """A request is signed for another service than it asks."""


@dataclass(frozen=True)
class HttpRequest:
    """One request. Headers have lower-case names."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Credential:
    """Whose key signed a request, for which region and service."""

    access_key: str
    region: str
    service: str
    token: str


@dataclass(frozen=True)
class Call:
    """One operation of a service (by its IAM prefix) with its parameters, as far as they are read."""

    service: str
    operation: str
    params: Mapping[str, Any]


def credential(request: HttpRequest) -> Credential | None:
    """Return what a request is signed with, in its header or its query; None when it is not."""
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


def read(request: HttpRequest, service: str) -> Call:
    """Read the call out of a request that is signed for `service`. Raises `WrongScopeError`.

    An operation that no model has is named after its method: it is evaluated all the same, on `*`.
    """
    prefix = PREFIXES.get(service, service)
    model = MODELS.get(service, service)
    target, _, operation = request.headers.get("x-amz-target", "").rpartition(".")
    if operation:
        if target != _target_prefix(model):
            raise WrongScopeError(service)
        return Call(prefix, operation, _json(request.body))
    rpc = _RPC.match(request.path)
    if rpc is not None:
        return Call(prefix, rpc["operation"], {})
    form = _form(request)
    if "Action" in form and model in QUERIED:
        return Call(prefix, str(form["Action"]), form)
    return _rest(request, prefix, model)


def _rest(request: HttpRequest, prefix: str, model: str) -> Call:
    best: tuple[int, int, str, dict[str, str]] | None = None
    for route in _routes(model):
        found = route.path.fullmatch(request.path) if route.method == request.method else None
        if found is None or not route.needed.keys() <= request.query.keys():
            continue
        if not route.headers <= request.headers.keys():
            continue
        if any(value and value not in request.query[name] for name, value in route.needed.items()):
            continue
        rank = (len(route.needed) + len(route.headers), route.literal)
        if best is None or rank > best[:2]:
            best = (*rank, route.operation, {k: unquote(v) for k, v in found.groupdict().items()})
    if best is None:
        return Call(prefix, f"Unknown{request.method.title()}", {})
    query = {name: values[0] for name, values in request.query.items()}
    body = _json(request.body) if model != "s3" else {}
    return Call(prefix, best[2], {**query, **body, **best[3]})


@dataclass(frozen=True)
class _Route:
    method: str
    path: re.Pattern[str]
    # Query parameters that must be there, with their value if it is fixed.
    needed: Mapping[str, str]
    headers: frozenset[str]
    literal: int
    operation: str


@lru_cache
def _routes(model: str) -> tuple[_Route, ...]:
    try:
        service = service_model(model)
    except UnknownServiceError:
        return ()
    return tuple(_route(service.operation_model(name)) for name in service.operation_names)


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    pattern, literal = "", 0
    for part in re.split(r"(\{[^}]+\})", path):
        name = part.strip("{}+")
        if part.startswith("{"):
            pattern += f"(?P<{name}>{'.+' if part.endswith('+}') else '[^/]+'})"
        else:
            pattern += re.escape(part)
            literal += len(part)
    needed = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    shape, headers = operation.input_shape, set()
    for member in shape.required_members if shape is not None else ():
        about = shape.members[member].serialization
        if about.get("location") == "querystring":
            needed.setdefault(about["name"], "")
        elif about.get("location") == "header":
            headers.add(about["name"].lower())
    method, compiled = operation.http["method"], re.compile(pattern + "/?")
    return _Route(method, compiled, needed, frozenset(headers), literal, operation.name)


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
        # Not JSON: the service will say so; nothing is known of what is asked.
        return {}
    return content if isinstance(content, dict) else {}


def _form(request: HttpRequest) -> dict[str, Any]:
    """Read AWS's query protocol: `Tags.member.1.Key=a` is `{"Tags": [{"Key": "a"}]}`."""
    flat = {name: values[0] for name, values in request.query.items()}
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        text = request.body.decode("utf-8", "replace")
        flat |= {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
    tree: dict[str, Any] = {}
    for name, value in flat.items():
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
