"""Validates ELBv2's requests against botocore's model, before any rule of its own."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count, takewhile
from typing import Any
from xml.etree.ElementTree import SubElement, fromstring, register_namespace, tostring

from botocore.model import ListShape, Shape, StructureShape

from local_aws.core.api import AwsError, service_model
from local_aws.core.conformance import input_violations
from local_aws.core.pagination import paginators
from local_aws.ministack.elbv2_snapshot import alb

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
        given = parse(operation, params)
        found = list(_missing(shape, given))
        found += [message for _, message in input_violations(shape, given, SERVICE)]
        if found:
            label = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
            raise AwsError("ValidationError", f"{label}: {'; '.join(map(_with_aws_path, found))}")

    return check


def _missing(shape: Shape | None, value: Any, path: str = "") -> Iterator[str]:
    """Yield AWS's message for each required member that a value lacks; an empty list is not sent."""
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if name not in value:
                yield f"Value null at '{path}{name}' failed to satisfy constraint: Member must not be null"
        for name in value:
            yield from _missing(shape.members[name], value[name], f"{path}{name}.")
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value, 1):
            yield from _missing(shape.member, item, f"{path}{number}.member.")


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


def only_one(*members: str) -> Callable[[Params], None]:
    """Return a check that rejects a request with more than one of the members that filter a list.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html
    """

    def check(params: Params) -> None:
        given = [each for each in members if any(key == each or key.startswith(f"{each}.") for key in params)]
        if len(given) > 1:
            raise AwsError("ValidationError", f"You can specify only one of {' and '.join(given)}")

    return check


def page(operation: str, params: Params, answer: Answer) -> Answer:
    """Return the page of a list that PageSize and Marker select, out of MiniStack's whole list."""
    names = paginators(SERVICE).get(operation)
    if answer[0] != 200 or names is None:
        return answer
    marker, size = (str(alb._p(params, key) or "") for key in (names["input_token"], names["limit_key"]))
    if not marker and not size:
        return answer
    return answer[0], answer[1], _page_of(answer[2], names, marker, size)


def _page_of(body: bytes, names: Mapping[str, Any], marker: str, size: str) -> bytes:
    root = fromstring(body)  # noqa: S314 - MiniStack wrote it
    namespace = root.tag.partition("}")[0].removeprefix("{")
    result = next(each for each in root if each.tag.endswith("Result"))
    items = result.find(f"{{{namespace}}}{names['result_key']}")
    found = list(items) if items is not None else []
    first = _first(marker, len(found))
    last = first + int(size or len(found))
    for each in (*found[:first], *found[last:]):
        items.remove(each)  # type: ignore[union-attr]
    if last < len(found):
        SubElement(result, f"{{{namespace}}}{names['output_token']}").text = str(last)
    register_namespace("", namespace)
    return bytes(tostring(root, "utf-8", xml_declaration=True))


def _first(marker: str, number: int) -> int:
    """Return where the page of a marker begins in a list of a number of items."""
    if not marker:
        return 0
    if marker.isascii() and marker.isdigit() and 0 < int(marker) < number:
        return int(marker)
    raise AwsError("ValidationError", f"Marker '{marker}' is not valid")
