"""Deletes a stack that is being created or updated only when that operation ends.

Both at once would undo each other's work.
"""

from typing import Any

from local_aws.ministack.compat import require

cloudformation = require("services.cloudformation", "_stacks")
handlers = require("services.cloudformation.handlers", "_delete_stack_async", "_deploy_stack_async")
changesets = require("services.cloudformation.changesets", "_deploy_stack_async")


def patch_stack_deletion() -> None:
    """Start a deletion at the end of the stack's current operation, without an idle state in between."""
    deploy_now, delete_now = handlers._deploy_stack_async, handlers._delete_stack_async

    async def delete(name: str, *rest: Any, **more: Any) -> None:
        stack = cloudformation._stacks.get(name)
        if stack is not None and _in_progress(stack):
            stack["_deletion"] = (rest, more)
        else:
            await delete_now(name, *rest, **more)

    async def deploy(name: str, *rest: Any, **more: Any) -> None:
        await deploy_now(name, *rest, **more)
        requested = (cloudformation._stacks.get(name) or {}).pop("_deletion", None)
        if requested is not None:
            await delete_now(name, *requested[0], **requested[1])

    handlers._delete_stack_async = delete
    handlers._deploy_stack_async = changesets._deploy_stack_async = deploy


def _in_progress(stack: dict[str, Any]) -> bool:
    status = str(stack.get("StackStatus", ""))
    return status.endswith("_IN_PROGRESS") and status not in ("DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS")
