"""The rules of tags, with each service's own codes.

https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html#tag-conventions
CloudFormation may set tags of AWS's own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.core.tag_rules import LIMIT, MEMBERS, is_own

NAMES = ("Key", "TagKey", "key")


@dataclass(frozen=True)
class TagCodes:
    """A service's codes for a key of AWS's own, for too many tags and for a key that is given twice.

    An empty code: the service does not refuse it, or its model does.
    """

    system: str
    too_many: str = ""
    duplicate: str = ""
    message: str = "aws: prefixed tag key names are not allowed for external use."
    ignores_case: bool = False


def tag_error(params: Mapping[str, Any], codes: TagCodes) -> tuple[str, str] | None:
    """Return the code and message that reject the tags of a request, or the keys of tags, or None."""
    found = list(_keys(params))
    if not all(map(is_own, found)):
        return codes.system, codes.message
    if codes.too_many and len(found) > LIMIT:
        return codes.too_many, f"A resource can have at most {LIMIT} tags."
    compared = {key.lower() for key in found} if codes.ignores_case else set(found)
    if codes.duplicate and len(compared) < len(found):
        return codes.duplicate, "Duplicate tag keys found."
    return None


def _keys(params: Mapping[str, Any]) -> Iterator[str]:
    for member in MEMBERS:
        tags = params.get(member) or ()
        for tag in tags if isinstance(tags, list | tuple | Mapping) else ():
            yield str(
                next((tag[name] for name in NAMES if name in tag), "") if isinstance(tag, Mapping) else tag
            )
    for specification in params.get("TagSpecification") or ():
        yield from _keys({"Tags": specification.get("Tag")})
