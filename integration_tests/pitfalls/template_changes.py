"""Small changes to a template."""

from collections.abc import Mapping
from typing import Any


def statement(role: Mapping[str, Any], sid: str) -> dict[str, Any]:
    """Return the statement `sid` of a role's inline policies."""
    found: list[dict[str, Any]] = [
        one
        for policy in role["Properties"]["Policies"]
        for one in policy["PolicyDocument"]["Statement"]
        if one["Sid"] == sid
    ]
    (only,) = found
    return only
