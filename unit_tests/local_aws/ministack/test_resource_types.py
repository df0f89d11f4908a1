"""Our resource types in CloudFormation: for whom they act."""

from __future__ import annotations

from typing import Any

from local_aws import ministack
from local_aws.core.api import CALLER
from local_aws.core.cloudformation import Properties, ResourceType


def test_cloudformation_acts_for_no_caller_of_an_earlier_request_on_the_connection() -> None:
    callers: dict[str, str] = {}

    def create(_properties: Properties, _logical_id: str, _stack: str) -> tuple[str, dict[str, Any]]:
        callers["create"] = CALLER.get()
        return "id", {}

    def update(_id: str, _old: Properties, _new: Properties) -> dict[str, Any]:
        callers["update"] = CALLER.get()
        return {}

    def delete(_id: str, _properties: Properties) -> None:
        callers["delete"] = CALLER.get()

    handler = ministack._handler(ResourceType(create, delete, update))
    token = CALLER.set("ASIAEARLIER")
    try:
        handler["create"]("Logical", {}, "stack")
        handler["update"]("id", {}, {"A": 1}, "stack", "Logical")
        handler["delete"]("id", {})
        assert CALLER.get() == "ASIAEARLIER"
    finally:
        CALLER.reset(token)
    assert callers == {"create": "", "update": "", "delete": ""}
