"""The resource types of alarms, on CloudWatch's API.

MiniStack's own handler of metric alarms refuses metric math. It evaluates composite alarms and has no type:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-compositealarm.html
"""

from collections.abc import Collection
from typing import Any

from botocore import xform_name

from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import Created

cloudwatch = require("services.cloudwatch", "cloudformation_set_metric_alarm_tags")
METRIC, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
# MiniStack evaluates no suppressor: the actions would run.
SUPPRESSORS = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def resource_types(context: Context) -> dict[str, ResourceType]:
    """Return the types of metric alarms and of composite alarms."""
    return {
        METRIC: _alarm_type(context, METRIC, "MetricAlarm"),
        COMPOSITE: _alarm_type(context, COMPOSITE, "CompositeAlarm", unsupported=SUPPRESSORS),
    }


def _alarm_type(
    context: Context, type_: str, kind: str, *, unsupported: Collection[str] = ()
) -> ResourceType:
    """Return a type; `kind` is the API's alarm type, in whose names the operation and the answer are."""
    operation = f"Put{kind}"

    def put(props: Properties, name: str) -> Created:
        found = next((each for each in unsupported if each in props), None)
        if found:
            raise ValueError(f"local_aws does not support {type_} {found}")
        given = {**arguments("cloudwatch", operation, props), "AlarmName": name}
        # CloudFormation's own tags begin with `aws:`, which the operation refuses.
        tags = given.pop("Tags", [])
        client = context.client("cloudwatch")
        getattr(client, xform_name(operation))(**given)
        cloudwatch.cloudformation_set_metric_alarm_tags(name, tags)
        (alarm,) = client.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])[f"{kind}s"]
        return name, {"Arn": alarm["AlarmArn"]}

    def create(props: Properties, logical_id: str, stack: str) -> Created:
        return put(props, props.get("AlarmName") or f"{stack}-{logical_id}")

    def update(physical_id: str, _old: Properties, new: Properties) -> dict[str, Any]:
        return put(new, physical_id)[1]

    def delete(physical_id: str, _props: Properties) -> None:
        context.client("cloudwatch").delete_alarms(AlarmNames=[physical_id])

    return ResourceType(create, delete, update, frozenset({"AlarmName"}))
