"""MiniStack's CloudFormation handlers: for each resource type a dict with `create`, `update` and `delete`."""

from typing import Any

from local_aws.ministack.compat import require

Handler = dict[str, Any]
# What `Fn::GetAtt` returns, by attribute name.
Attributes = dict[str, Any]
# A create or an update returns the physical id and the attributes.
Created = tuple[str, Attributes]


def resource_handlers() -> dict[str, Handler]:
    """Return MiniStack's handlers by resource type. A change of it changes MiniStack."""
    handlers: dict[str, Handler] = require(
        "services.cloudformation.provisioners", "_RESOURCE_HANDLERS"
    )._RESOURCE_HANDLERS
    return handlers


def patch_handler(resource_type: str, **functions: Any) -> None:
    """Replace functions of a resource type's handler, as `create=...`."""
    handlers = resource_handlers()
    handlers[resource_type] = {**handlers[resource_type], **functions}
