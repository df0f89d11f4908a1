"""Makes MiniStack's Parameter Store answer as AWS does about tags: of what does not exist, and in filters.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListTagsForResource.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html
"""

from collections.abc import Callable
from typing import Any

from local_aws.ministack.compat import require

ssm = require(
    "services.ssm",
    "_add_tags_to_resource",
    "_apply_filter",
    "_list_tags_for_resource",
    "_parameters",
    "_remove_tags_from_resource",
    "_tags",
    "error_response_json",
)

Call = Callable[[dict[str, Any]], Any]
_TAG = "tag:"


def patch_parameter_tags() -> None:
    """Refuse a parameter that does not exist, and filter by tags."""
    for name in ("_add_tags_to_resource", "_list_tags_for_resource", "_remove_tags_from_resource"):
        setattr(ssm, name, _of_existing(getattr(ssm, name)))
    ssm._apply_filter = _by_tag(ssm._apply_filter)


def _of_existing(original: Call) -> Call:
    def call(data: dict[str, Any]) -> Any:
        if data.get("ResourceType") == "Parameter" and data.get("ResourceId") not in ssm._parameters:
            message = "The resource ID isn't valid. Verify that you entered the correct ID and try again."
            return ssm.error_response_json("InvalidResourceId", message, 400)
        return original(data)

    return call


def _by_tag(original: Callable[..., bool]) -> Callable[..., bool]:
    def applies(parameter: dict[str, Any], key: str, option: str, values: list[str]) -> bool:
        if not key.startswith(_TAG):
            return original(parameter, key, option, values)
        tags = ssm._tags.get(parameter["ARN"], {})
        name = key.removeprefix(_TAG)
        return name in tags and (not values or tags[name] in values)

    return applies
