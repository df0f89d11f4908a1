"""The resource type of composite alarms, on CloudWatch's API: MiniStack evaluates them and has no type.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-compositealarm.html
"""

from typing import Any

from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import Created

cloudwatch = require("services.cloudwatch", "_composite_alarms", "cloudformation_set_metric_alarm_tags")
TYPE = "AWS::CloudWatch::CompositeAlarm"
# MiniStack evaluates no suppressor: the actions would run.
UNSUPPORTED = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def resource_types(context: Context) -> dict[str, ResourceType]:
    """Return the type of composite alarms."""

    def put(props: Properties, name: str) -> Created:
        found = next((each for each in UNSUPPORTED if each in props), None)
        if found:
            raise ValueError(f"local_aws does not support {TYPE} {found}")
        given = {**arguments("cloudwatch", "PutCompositeAlarm", props), "AlarmName": name}
        # CloudFormation's own tags begin with `aws:`, which PutCompositeAlarm refuses.
        tags = given.pop("Tags", [])
        client = context.client("cloudwatch")
        client.put_composite_alarm(**given)
        cloudwatch.cloudformation_set_metric_alarm_tags(name, tags)
        return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}

    def create(props: Properties, logical_id: str, stack: str) -> Created:
        return put(props, props.get("AlarmName") or f"{stack}-{logical_id}")

    def update(physical_id: str, _old: Properties, new: Properties) -> dict[str, Any]:
        return put(new, physical_id)[1]

    def delete(physical_id: str, _props: Properties) -> None:
        context.client("cloudwatch").delete_alarms(AlarmNames=[physical_id])

    return {TYPE: ResourceType(create, delete, update, frozenset({"AlarmName"}))}
