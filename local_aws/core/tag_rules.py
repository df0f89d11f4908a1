"""The rules of tags that all services share: at most 50, and none of AWS's own.

https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html#tag-conventions
"""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.model import OperationModel

LIMIT = 50
SYSTEM_PREFIX = "aws:"
MEMBERS = ("tags", "Tags", "tagKeys", "TagKeys")
# The codes for too many tags, and for a key that is AWS's or given twice, by preference: each service
# declares one of them.
TOO_MANY = (
    *("TooManyTagsException", "InvalidTagsToAddException", "InvalidParameterException"),
    "InvalidInputException",
)
SYSTEM_TAG = (
    *("InvalidSystemTagUsageException", "InvalidTagsException", "InvalidTagParameterException"),
    *("InvalidTagsToAddException", "InvalidParameterException", "InvalidInputException"),
)


def tag_error(
    operation: OperationModel, params: Mapping[str, Any], *, system: bool = False
) -> tuple[str, str] | None:
    """Return the code and message that reject the tags, or the keys of tags, of a call.

    A `system` call is CloudFormation's, which sets tags of AWS's own by the same operations. They do not
    count.
    """
    given = (key for member in MEMBERS for key in _keys(params.get(member) or ()))
    keys = list(filter(is_own, given) if system else given)
    if len(keys) > LIMIT:
        return _declared(operation, TOO_MANY), f"A resource can have at most {LIMIT} tags."
    if len(set(keys)) < len(keys):
        return _declared(
            operation, SYSTEM_TAG
        ), "Duplicate tag keys found. Please note that Tag keys are case-sensitive."
    reserved = next((key for key in keys if not is_own(key)), None)
    if reserved is None:
        return None
    return _declared(operation, SYSTEM_TAG), f"The tag key {reserved} is reserved for use by AWS."


def is_own(key: str) -> bool:
    """Return whether a key is no key of AWS's."""
    return not key.lower().startswith(SYSTEM_PREFIX)


def _keys(tags: Iterable[Any]) -> list[str]:
    """Return the keys of tags, which are a map, a list of structures or a list of keys."""
    found = [tag if isinstance(tag, str) else tag.get("key", tag.get("Key", "")) for tag in tags]
    return [str(key) for key in found]


def _declared(operation: OperationModel, codes: Iterable[str]) -> str:
    declared = {shape.name for shape in operation.error_shapes}
    return next((code for code in codes if code in declared), "ValidationException")
