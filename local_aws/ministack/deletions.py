"""A stack that is deleted while it is made: one after the other, or each would undo the other's work."""

import asyncio
from typing import Any

from local_aws.ministack.private import require

cloudformation = require("services.cloudformation", "_stacks")
handlers = require("services.cloudformation.handlers", "_delete_stack_async")

# Short: between the two, nobody should see the stack at rest.
POLL_SECONDS = 0.02


def install() -> None:
    """Let a deletion begin when the operation before it has ended."""
    original = handlers._delete_stack_async

    async def delete(name: str, *rest: Any, **more: Any) -> None:
        while _is_worked_on(cloudformation._stacks.get(name)):
            await asyncio.sleep(POLL_SECONDS)
        await original(name, *rest, **more)

    handlers._delete_stack_async = delete


def _is_worked_on(stack: dict[str, Any] | None) -> bool:
    status = "" if stack is None else str(stack.get("StackStatus", ""))
    return status.endswith("_IN_PROGRESS") and status not in ("DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS")
