"""Adds to each stack event the id of its operation, which MiniStack leaves out.

The CDK CLI reports the failures of the last operation, and of the one before if the last is its rollback:
without the ids, it would also report those of every earlier deployment.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from local_aws.ministack.compat import require

cloudformation = require("services.cloudformation", "_stack_events")
handlers = require("services.cloudformation.handlers", "_ACTION_HANDLERS", "_p", "_resolve_stack")

ACTION = "DescribeStackEvents"
EVENT_ID = re.compile(r"<EventId>([^<]+)</EventId>")


def patch_stack_events() -> None:
    """Answer DescribeStackEvents with operation ids."""
    original = handlers._ACTION_HANDLERS[ACTION]

    def describe(params: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = original(params)
        stack = handlers._resolve_stack(handlers._p(params, "StackName"))
        if stack:
            operations = dict(operation_ids(cloudformation._stack_events.get(stack["StackId"], [])))
            body = EVENT_ID.sub(
                lambda found: f"{found[0]}<OperationId>{operations[found[1]]}</OperationId>", body.decode()
            ).encode()
        return status, headers, body

    handlers._ACTION_HANDLERS[ACTION] = describe


def operation_ids(events: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the id of each event with that of its operation: the id of the event that began it."""
    operation = ""
    for event in events:
        if not operation or _begins_operation(event):
            operation = event["EventId"]
        yield event["EventId"], operation


def _begins_operation(event: Mapping[str, str]) -> bool:
    """Return whether the stack itself begins an operation; a rollback is one of its own."""
    status = event["ResourceStatus"]
    of_stack = event["PhysicalResourceId"] == event["StackId"]
    return of_stack and status.endswith("_IN_PROGRESS") and "CLEANUP" not in status
