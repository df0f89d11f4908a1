"""A stack that is deleted while it is made: one after the other, or each would undo the other's work."""

from typing import Any

from local_aws.ministack.compat import require

cloudformation = require("services.cloudformation", "_stacks")
handlers = require("services.cloudformation.handlers", "_delete_stack_async", "_deploy_stack_async")
changesets = require("services.cloudformation.changesets", "_deploy_stack_async")


def install() -> None:
    """Let a deletion begin when the operation before it ends; in between nobody sees the stack at rest."""
    deploy_now, delete_now = handlers._deploy_stack_async, handlers._delete_stack_async

    async def delete(name: str, *rest: Any, **more: Any) -> None:
        stack = cloudformation._stacks.get(name)
        if stack is not None and _is_worked_on(stack):
            stack["_deletion"] = (rest, more)
        else:
            await delete_now(name, *rest, **more)

    async def deploy(name: str, *rest: Any, **more: Any) -> None:
        await deploy_now(name, *rest, **more)
        wanted = (cloudformation._stacks.get(name) or {}).pop("_deletion", None)
        if wanted is not None:
            await delete_now(name, *wanted[0], **wanted[1])

    handlers._delete_stack_async = delete
    handlers._deploy_stack_async = changesets._deploy_stack_async = deploy


def _is_worked_on(stack: dict[str, Any]) -> bool:
    status = str(stack.get("StackStatus", ""))
    return status.endswith("_IN_PROGRESS") and status not in ("DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS")
