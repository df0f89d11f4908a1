"""Validates the body of CloudWatch dashboards and supports their tags, as CloudWatch does.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_aws.ministack.compat import require
from local_aws.ministack.handlers import patch_handler, resource_handlers
from local_aws.ministack.property_setters import add_property_setters

DASHBOARD = "AWS::CloudWatch::Dashboard"

cloudwatch = require(
    "services.cloudwatch",
    "_dashboards",
    "_error",
    "_p",
    "_put_dashboard",
    "_resource_tags",
    "_validate_alarm_tag_arn",
)

# Type of widget -> its required property, and the type of that.
REQUIRED: dict[str, tuple[str, type]] = {
    "alarm": ("alarms", list),
    "explorer": ("metrics", list),
    "log": ("query", str),
    "metric": ("metrics", list),
    "text": ("markdown", str),
}
# The JSON path of an error, and the message.
BodyError = tuple[str, str]


def patch_dashboards() -> None:
    """Validate the body in PutDashboard and in templates, and store the tags of templates."""
    put = cloudwatch._put_dashboard

    def checked(params: Any, data: Any, is_cbor: bool, is_json: bool = False) -> Any:
        body = data.get("DashboardBody", "") if is_cbor or is_json else cloudwatch._p(params, "DashboardBody")
        message = body_error(body)
        if message:
            return cloudwatch._error(
                "InvalidParameterInput", message, 400, use_json=is_json, use_cbor=is_cbor
            )
        return put(params, data, is_cbor, is_json)

    cloudwatch._put_dashboard = checked
    handler = resource_handlers()[DASHBOARD]
    patch_handler(
        DASHBOARD, create=_validating(handler["create"], 1), update=_validating(handler["update"], 2)
    )
    add_property_setters(DASHBOARD, {"Tags": _set_tags})
    validate = cloudwatch._validate_alarm_tag_arn

    def validated(arn: str, *rest: Any, **more: Any) -> Any:
        if any(each["DashboardArn"] == arn for each in cloudwatch._dashboards.values()):
            return None
        return validate(arn, *rest, **more)

    cloudwatch._validate_alarm_tag_arn = validated


def _set_tags(name: str, tags: list[Mapping[str, str]] | None) -> None:
    arn = cloudwatch._dashboards[name]["DashboardArn"]
    cloudwatch._resource_tags[arn] = {tag["Key"]: tag["Value"] for tag in tags or []}


def _validating(original: Callable[..., Any], properties_position: int) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        message = body_error(arguments[properties_position].get("DashboardBody", ""))
        if message:
            raise ValueError(message)
        return original(*arguments)

    return call


def body_error(body: str) -> str | None:
    """Return CloudWatch's error message for a dashboard's body, or None."""
    try:
        content = json.loads(body)
    except ValueError:
        return "The field DashboardBody must be a valid JSON object"
    if not isinstance(content, dict):
        return "The field DashboardBody must be a valid JSON object"
    errors = [{"dataPath": path, "message": message} for path, message in _errors(content)]
    if not errors:
        return None
    listed = json.dumps(errors, indent=2)
    return f"The dashboard body is invalid, there are {len(errors)} validation errors: {listed}"


def _errors(content: Mapping[str, Any]) -> Iterator[BodyError]:
    widgets = content.get("widgets")
    if not isinstance(widgets, list):
        yield "/widgets", "Should be array"
        return
    for number, widget in enumerate(widgets):
        path = f"/widgets/{number}"
        kind = widget.get("type") if isinstance(widget, dict) else None
        properties = widget.get("properties") if isinstance(widget, dict) else None
        if kind not in REQUIRED:
            yield f"{path}/type", "Should be equal to one of the allowed values"
        elif not isinstance(properties, dict):
            yield f"{path}/properties", "Should be object"
        else:
            yield from _property_errors(f"{path}/properties", kind, properties)


def _property_errors(path: str, kind: str, properties: Mapping[str, Any]) -> Iterator[BodyError]:
    name, expected = REQUIRED[kind]
    # A metric widget may have annotations alone.
    if kind == "metric" and "metrics" not in properties and "annotations" in properties:
        return
    if not isinstance(properties.get(name), expected):
        yield f"{path}/{name}", f"Should be {'array' if expected is list else 'string'}"
        return
    if kind == "metric":
        yield from _metric_errors(f"{path}/{name}", properties[name])
    if kind in ("log", "metric") and not properties.get("region"):
        yield path, 'Should have required property "region"'


def _metric_errors(path: str, metrics: list[Any]) -> Iterator[BodyError]:
    for number, metric in enumerate(metrics):
        if not isinstance(metric, list):
            yield f"{path}/{number}", "Should be array"
