"""Composite alarms of a template, on the alarms of a running server."""

from typing import Any

from unit_tests.local_aws.cloudformation_cloud import Cloud, template


def rule(before: str = "") -> dict[str, Any]:
    """Return the rule that the child is in ALARM, after a word."""
    return {"Fn::Join": ["", [before, 'ALARM("', {"Fn::GetAtt": ["Child", "Arn"]}, '")']]}


def stack(**changed: Any) -> str:
    """Return an alarm, and a composite alarm on it."""
    alarm = {
        "Type": "AWS::CloudWatch::Alarm",
        "AlarmName": "child",
        "Namespace": "Test",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        # It stays as SetAlarmState sets it.
        "TreatMissingData": "ignore",
    }
    composite = {"Type": "AWS::CloudWatch::CompositeAlarm", "AlarmName": "whole", "AlarmRule": rule()}
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Whole", "Arn"]}}}
    return template(outputs, Child=alarm, Whole=composite | changed)


def state(cloud: Cloud) -> str:
    found = cloud.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"], AlarmNames=["whole"])
    return str(found["CompositeAlarms"][0]["StateValue"])


def test_a_composite_alarm_follows_its_rule_until_its_stack_is_deleted(cloud: Cloud) -> None:
    assert cloud.create("alarms", stack()) == "CREATE_COMPLETE", cloud.reasons("alarms")
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:whole"
    assert cloud.outputs("alarms") == {"Arn": arn}
    cloudwatch = cloud.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName="child", StateValue="ALARM", StateReason="test")
    assert state(cloud) == "ALARM"
    cloudwatch.set_alarm_state(AlarmName="child", StateValue="OK", StateReason="test")
    assert state(cloud) == "OK"
    assert cloud.update("alarms", stack(AlarmRule=rule("NOT "))) == "UPDATE_COMPLETE"
    assert state(cloud) == "ALARM"
    assert cloud.delete("alarms") == "DELETE_COMPLETE"
    assert cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []


def test_a_suppressor_is_refused_by_name(cloud: Cloud) -> None:
    suppressor = {"ActionsSuppressor": "child", "ActionsSuppressorWaitPeriod": 60}
    body = stack(**suppressor, ActionsSuppressorExtensionPeriod=60)
    assert cloud.create("suppressed", body) == "ROLLBACK_COMPLETE"
    refused = "local_aws does not support AWS::CloudWatch::CompositeAlarm ActionsSuppressor"
    assert refused in cloud.reasons("suppressed")
