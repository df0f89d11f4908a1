"""Validates ELBv2's requests against botocore's model, before any rule of its own."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import accumulate, count, takewhile
from typing import Any
from xml.etree.ElementTree import SubElement, fromstring, register_namespace, tostring

from botocore.model import ListShape, Shape, StructureShape

from local_aws.core.api import AwsError, service_model
from local_aws.core.conformance import input_violations
from local_aws.core.pagination import paginators
from local_aws.ministack.elbv2_snapshot import alb

SERVICE = "elbv2"
Answer = tuple[int, dict[str, str], bytes]


class Request(dict[str, Any]):
    """One request as MiniStack takes it, in AWS's query protocol, with its members as boto3 takes them.

    The checks of an operation share it, so that the members are parsed once.
    """

    def __init__(self, operation: str, params: Mapping[str, Any]) -> None:
        super().__init__(params)
        self.operation = operation

    @cached_property
    def members(self) -> dict[str, Any]:
        """The members of the operation's model that the request has."""
        shape = service_model(SERVICE).operation_model(self.operation).input_shape
        if shape is None:
            return {}
        paths = {path for key in self for path in accumulate(key.split("."), "{}.{}".format)}
        return self._structure(shape, "", paths)

    def _value(self, shape: Shape, path: str, paths: Collection[str]) -> Any:
        """Return the value at a path, or None if the request has none."""
        if path not in paths:
            return None
        if isinstance(shape, StructureShape):
            return self._structure(shape, f"{path}.", paths)
        if isinstance(shape, ListShape):
            items = (self._value(shape.member, f"{path}.member.{number}", paths) for number in count(1))
            return list(takewhile(lambda item: item is not None, items))
        return _scalar(shape, str(alb._p(self, path)))

    def _structure(self, shape: StructureShape, prefix: str, paths: Collection[str]) -> dict[str, Any]:
        members = ((name, self._value(each, prefix + name, paths)) for name, each in shape.members.items())
        return {name: value for name, value in members if value is not None}


def _scalar(shape: Shape, text: str) -> Any:
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text, re.ASCII):
        return int(text)
    return text


def check_model(request: Request) -> None:
    """Check the bounds, patterns and enumerations of an operation's model.

    The code and the words: kubernetes-sigs/aws-load-balancer-controller#4238.
    """
    shape = service_model(SERVICE).operation_model(request.operation).input_shape
    found = list(_missing(shape, request.members))
    found += [message for _, message in input_violations(shape, request.members, SERVICE)]
    if found:
        label = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
        raise AwsError("ValidationError", f"{label}: {'; '.join(map(_with_aws_path, found))}")


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


def all_exist(store: str, prefix: str, code: str, label: str, name: str = "") -> Callable[[Request], None]:
    """Return a check that rejects unknown names: waiters need AWS's error, not MiniStack's empty list."""

    def check(params: Request) -> None:
        records = getattr(alb, store)
        names: Iterable[str] = [record[name] for record in records.values()] if name else records
        if any(each not in names for each in alb._parse_member_list(params, prefix)):
            raise AwsError(code, f"One or more {label} not found")

    return check


def one_given(message: str, owner: str) -> Callable[[Request], None]:
    """Return a check that rejects a request with neither an owner nor ARNs. The messages are moto's."""

    def check(params: Request) -> None:
        if owner not in params and not any(".member.1" in key for key in params):
            raise AwsError("ValidationError", message)

    return check


def only_one(*members: str) -> Callable[[Request], None]:
    """Return a check that rejects a request with more than one of the members that filter a list.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html
    """

    def check(params: Request) -> None:
        given = [each for each in members if any(key == each or key.startswith(f"{each}.") for key in params)]
        if len(given) > 1:
            raise AwsError("ValidationError", f"You can specify only one of {' and '.join(given)}")

    return check


def page(request: Request, answer: Answer) -> Answer:
    """Return the page of a list that PageSize and Marker select, out of MiniStack's whole list."""
    names = paginators(SERVICE).get(request.operation)
    if answer[0] != 200 or names is None:
        return answer
    marker, size = (str(alb._p(request, key) or "") for key in (names["input_token"], names["limit_key"]))
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
