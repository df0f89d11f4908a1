"""Adds to each nested stack of DescribeStacks its root and its parent, which MiniStack leaves out.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html
"""

import re
from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require

cloudformation = require("services.cloudformation", "_stacks")
handlers = require("services.cloudformation.handlers", "_ACTION_HANDLERS")

ACTION = "DescribeStacks"
STACK_ID = re.compile(r"<StackId>([^<]+)</StackId>")
MEMBERS = ("RootId", "ParentId")


def patch_stack_parents() -> None:
    """Answer DescribeStacks with RootId and ParentId."""
    original = handlers._ACTION_HANDLERS[ACTION]

    def describe(params: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = original(params)
        stacks = {stack["StackId"]: stack for stack in cloudformation._stacks.values()}
        return status, headers, STACK_ID.sub(lambda found: _named(found, stacks), body.decode()).encode()

    handlers._ACTION_HANDLERS[ACTION] = describe


def _named(found: re.Match[str], stacks: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a stack's id with those of its root and its parent."""
    stack = stacks.get(found[1], {})
    return found[0] + "".join(f"<{name}>{stack[name]}</{name}>" for name in MEMBERS if name in stack)
