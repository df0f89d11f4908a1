"""Sets properties that MiniStack's handlers ignore, by the service's own API after the handler returns."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.cloudformation import Properties
from local_aws.ministack.handlers import Created, patch_handler, resource_handlers

# Takes the physical id and the property's value, or None when an update removes the property.
Setter = Callable[[str, Any], None]


def add_property_setters(resource_type: str, setters: Mapping[str, Setter]) -> None:
    """Let a resource type's handler set these properties too, on create and on each change."""
    handler = resource_handlers()[resource_type]

    def create(logical_id: str, props: Properties, stack: str) -> Created:
        physical_id, attributes = handler["create"](logical_id, props, stack)
        try:
            for key, setter in setters.items():
                if key in props:
                    setter(physical_id, props[key])
        except Exception:
            handler["delete"](physical_id, props)
            raise
        return physical_id, attributes

    def update(physical_id: str, old: Properties, new: Properties, *rest: str) -> Created:
        result: Created = handler["update"](physical_id, old, new, *rest)
        changed = [key for key in setters if old.get(key) != new.get(key)]
        try:
            for key in changed:
                setters[key](result[0], new.get(key))
        except Exception:
            # The engine expects a handler that fails to have changed nothing.
            handler["update"](physical_id, new, old, *rest)
            for key in changed:
                setters[key](physical_id, old.get(key))
            raise
        return result

    patch_handler(resource_type, create=create, update=update)
