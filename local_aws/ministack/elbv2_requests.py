"""Validates ELBv2's requests against botocore's model, before any rule of its own."""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import count, takewhile
from typing import Any
from xml.etree.ElementTree import fromstring

from botocore.model import ListShape, Shape, StructureShape

from local_aws.core.api import AwsError, service_model
from local_aws.core.conformance import input_violations
from local_aws.core.pagination import paginators
from local_aws.ministack.elbv2_snapshot import alb
from local_aws.services.elbv2 import errors

SERVICE = "elbv2"
Params = Mapping[str, Any]
Answer = tuple[int, dict[str, str], bytes]


def parse(operation: str, params: Params) -> dict[str, Any]:
    """Return a request's members, of AWS's query protocol, as boto3 takes them."""
    shape = service_model(SERVICE).operation_model(operation).input_shape
    return dict(_parse(shape, params, "") or {}) if shape is not None else {}


def _parse(shape: Shape, params: Params, path: str) -> Any:
    """Return the value at a path, or None if the request has none."""
    if path and not any(key == path or key.startswith(f"{path}.") for key in params):
        return None
    if isinstance(shape, StructureShape):
        return _parse_structure(shape, params, path)
    if isinstance(shape, ListShape):
        items = (_parse(shape.member, params, f"{path}.member.{number}") for number in count(1))
        return list(takewhile(lambda item: item is not None, items))
    return _scalar(shape, str(alb._p(params, path)))


def _parse_structure(shape: StructureShape, params: Params, path: str) -> dict[str, Any]:
    prefix = f"{path}." if path else ""
    members = ((name, _parse(each, params, prefix + name)) for name, each in shape.members.items())
    return {name: value for name, value in members if value is not None}


def _scalar(shape: Shape, text: str) -> Any:
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text, re.ASCII):
        return int(text)
    return text


def model_check(operation: str) -> Callable[[Params], None]:
    """Return a check of the bounds, patterns and enumerations of an operation's model.

    The code and the words: kubernetes-sigs/aws-load-balancer-controller#4238.
    """

    def check(params: Params) -> None:
        shape = service_model(SERVICE).operation_model(operation).input_shape
        found = [message for _, message in input_violations(shape, parse(operation, params), SERVICE)]
        if found:
            label = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
            raise AwsError("ValidationError", f"{label}: {'; '.join(map(_with_aws_path, found))}")

    return check


def _with_aws_path(message: str) -> str:
    """Begin each name of a member in lower case: `targets.1.member.port`."""
    return re.sub(
        r"(?<= at ')[^']+", lambda found: re.sub(r"\b[A-Z]", lambda one: one[0].lower(), found[0]), message
    )


def all_exist(store: str, prefix: str, code: str, label: str, name: str = "") -> Callable[[Params], None]:
    """Return a check that rejects unknown names: waiters need AWS's error, not MiniStack's empty list."""

    def check(params: Params) -> None:
        records = getattr(alb, store)
        names: Iterable[str] = [record[name] for record in records.values()] if name else records
        if any(each not in names for each in alb._parse_member_list(params, prefix)):
            raise AwsError(code, f"One or more {label} not found")

    return check


def one_given(message: str, owner: str) -> Callable[[Params], None]:
    """Return a check that rejects a request with neither an owner nor ARNs. The messages are moto's."""

    def check(params: Params) -> None:
        if owner not in params and not any(".member.1" in key for key in params):
            raise AwsError("ValidationError", message)

    return check


def check_page(operation: str, params: Params, answer: Answer) -> None:
    """Refuse PageSize by name where the results are more than one page: local_aws makes no pages."""
    size = str(alb._p(params, "PageSize") or "")
    names = paginators(SERVICE).get(operation)
    if answer[0] != 200 or names is None or not size.isdigit():
        return
    for element in fromstring(answer[2]).iter():  # noqa: S314 - MiniStack wrote it
        if element.tag.rpartition("}")[2] == names["result_key"]:
            if len(element) > int(size):
                raise errors.unsupported(f"pages of {operation}: {len(element)} results, PageSize {size}")
            return
