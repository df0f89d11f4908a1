"""CloudWatch refuses a dashboard whose body it could not draw, and knows its tags; MiniStack does neither.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_aws.ministack.compat import require
from local_aws.ministack.property_setters import complete

cloudwatch = require(
    "services.cloudwatch",
    "_dashboards",
    "_error",
    "_p",
    "_put_dashboard",
    "_resource_tags",
    "_validate_alarm_tag_arn",
)

# Type of widget -> the property that it cannot be without, and what that must be.
NEEDED: dict[str, tuple[str, type]] = {
    "alarm": ("alarms", list),
    "explorer": ("metrics", list),
    "log": ("query", str),
    "metric": ("metrics", list),
    "text": ("markdown", str),
}


def install() -> None:
    """Check the body wherever a dashboard is put, and keep the tags of a template's."""
    put = cloudwatch._put_dashboard

    def checked(params: Any, data: Any, is_cbor: bool, is_json: bool = False) -> Any:
        body = data.get("DashboardBody", "") if is_cbor or is_json else cloudwatch._p(params, "DashboardBody")
        found = complaint(body)
        if found:
            return cloudwatch._error("InvalidParameterInput", found, 400, use_json=is_json, use_cbor=is_cbor)
        return put(params, data, is_cbor, is_json)

    cloudwatch._put_dashboard = checked
    handlers = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    handler = handlers["AWS::CloudWatch::Dashboard"]
    handlers["AWS::CloudWatch::Dashboard"] = {
        **handler,
        "create": _checking(handler["create"], 1),
        "update": _checking(handler["update"], 2),
    }
    complete("AWS::CloudWatch::Dashboard", {"Tags": _set_tags})
    validate = cloudwatch._validate_alarm_tag_arn

    def validated(arn: str, *rest: Any, **more: Any) -> Any:
        if any(each["DashboardArn"] == arn for each in cloudwatch._dashboards.values()):
            return None
        return validate(arn, *rest, **more)

    cloudwatch._validate_alarm_tag_arn = validated


def _set_tags(name: str, tags: list[Mapping[str, str]] | None) -> None:
    arn = cloudwatch._dashboards[name]["DashboardArn"]
    cloudwatch._resource_tags[arn] = {tag["Key"]: tag["Value"] for tag in tags or []}


def _checking(original: Callable[..., Any], position: int) -> Callable[..., Any]:
    def call(*given: Any) -> Any:
        found = complaint(given[position].get("DashboardBody", ""))
        if found:
            raise ValueError(found)
        return original(*given)

    return call


def complaint(body: str) -> str | None:
    """Say in CloudWatch's words what is wrong with a dashboard's body, or None."""
    try:
        whole = json.loads(body)
    except ValueError:
        return "The field DashboardBody must be a valid JSON object"
    if not isinstance(whole, dict):
        return "The field DashboardBody must be a valid JSON object"
    errors = [{"dataPath": path, "message": message} for path, message in _errors(whole)]
    if not errors:
        return None
    listed = json.dumps(errors, indent=2)
    return f"The dashboard body is invalid, there are {len(errors)} validation errors: {listed}"


def _errors(whole: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    widgets = whole.get("widgets")
    if not isinstance(widgets, list):
        yield "/widgets", "Should be array"
        return
    for number, widget in enumerate(widgets):
        path = f"/widgets/{number}"
        kind = widget.get("type") if isinstance(widget, dict) else None
        properties = widget.get("properties") if isinstance(widget, dict) else None
        if kind not in NEEDED:
            yield f"{path}/type", "Should be equal to one of the allowed values"
        elif not isinstance(properties, dict):
            yield f"{path}/properties", "Should be object"
        else:
            yield from _properties(f"{path}/properties", kind, properties)


def _properties(path: str, kind: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name, wanted = NEEDED[kind]
    value = properties.get(name)
    if kind == "metric" and "metrics" not in properties and "annotations" in properties:
        return
    if not isinstance(value, wanted):
        yield f"{path}/{name}", f"Should be {'array' if wanted is list else 'string'}"
        return
    rows: list[Any] = properties[name] if kind == "metric" else []
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            yield f"{path}/{name}/{number}", "Should be array"
    if kind in ("log", "metric") and not properties.get("region"):
        yield path, 'Should have required property "region"'
