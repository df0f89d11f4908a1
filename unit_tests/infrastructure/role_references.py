"""Where a resource refers to a role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ROLE_PROPERTIES = {"Role", "RoleArn", "ServiceRole", "ServiceRoleArn", "TaskRoleArn", "ExecutionRoleArn"}
ROLE_PROPERTIES.add("DeliverLogsPermissionArn")


def roles_named(value: Any) -> Iterator[Any]:
    """Yield every value that names a role, at any depth."""
    if isinstance(value, list):
        for each in value:
            yield from roles_named(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in ROLE_PROPERTIES:
                yield each
            else:
                yield from roles_named(each)
