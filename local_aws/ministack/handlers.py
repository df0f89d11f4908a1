"""MiniStack's CloudFormation handlers: for each resource type a dict with `create`, `update` and `delete`."""

from collections.abc import Callable
from typing import Any

from local_aws.core.cloudformation import Properties
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


def check_before_create(resource_type: str, check: Callable[[Properties], None]) -> None:
    """Call `check` with the properties before each creation; the `ValueError` that it raises fails it."""
    original = resource_handlers()[resource_type]["create"]

    def create(logical_id: str, props: Properties, stack: str) -> Created:
        check(props)
        created: Created = original(logical_id, props, stack)
        return created

    patch_handler(resource_type, create=create)


def check_before_change(resource_type: str, check: Callable[[Properties], None]) -> None:
    """Call `check` before each creation as above, and with the new properties before each update."""
    check_before_create(resource_type, check)
    original = resource_handlers()[resource_type].get("update")
    if original is None:
        return

    def update(physical_id: str, old: Properties, new: Properties, *rest: str) -> Created:
        check(new)
        created: Created = original(physical_id, old, new, *rest)
        return created

    patch_handler(resource_type, update=update)
