"""Properties that MiniStack's handlers drop, set by the service's own API once its handler is done."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.ministack.compat import require

# Called with the physical id and the property's value, or None when an update takes the property away.
Setter = Callable[[str, Any], None]


def complete(name: str, setters: Mapping[str, Setter]) -> None:
    """Let the handler of type `name` set these properties too, on create and on every change."""
    provisioners = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
    handler = provisioners._RESOURCE_HANDLERS[name]

    def create(logical_id: str, props: Mapping[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        physical_id, attributes = handler["create"](logical_id, props, stack)
        try:
            for key, setter in setters.items():
                if key in props:
                    setter(physical_id, props[key])
        except Exception:
            handler["delete"](physical_id, props)
            raise
        return physical_id, attributes

    def update(
        physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], *rest: str
    ) -> tuple[str, dict[str, Any]]:
        result: tuple[str, dict[str, Any]] = handler["update"](physical_id, old, new, *rest)
        changed = [key for key in setters if old.get(key) != new.get(key)]
        try:
            for key in changed:
                setters[key](result[0], new.get(key))
        except Exception:
            # The engine takes it that a handler which failed changed nothing.
            handler["update"](physical_id, new, old, *rest)
            for key in changed:
                setters[key](physical_id, old.get(key))
            raise
        return result

    provisioners._RESOURCE_HANDLERS[name] = {**handler, "create": create, "update": update}
