"""The template of a construct that deploys with a custom resource is refused, naming all that is missing.

https://github.com/cdklabs/cdk-ecs-codedeploy: it waits in a state machine and watches a canary.
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import Cloud, template

ALARM = {
    "Type": "AWS::CloudWatch::Alarm",
    "Namespace": "CloudWatchSynthetics",
    "MetricName": "SuccessPercent",
    "Statistic": "Average",
    "Period": 300,
    "EvaluationPeriods": 2,
    "Threshold": 100,
    "ComparisonOperator": "LessThanThreshold",
}
RESOURCES: dict[str, dict[str, Any]] = {
    "Canary": {"Type": "AWS::Synthetics::Canary", "Name": "canary"},
    "Failing": ALARM,
    "Health": {
        "Type": "AWS::CloudWatch::CompositeAlarm",
        "AlarmRule": {"Fn::Join": ["", ['(ALARM("', {"Fn::GetAtt": ["Failing", "Arn"]}, '"))']]},
    },
    "Waiter": {"Type": "AWS::StepFunctions::StateMachine", "RoleArn": "arn:aws:iam::123456789012:role/r"},
    "Deployment": {"Type": "Custom::EcsDeployment", "ServiceToken": {"Ref": "Waiter"}},
}


def test_what_is_missing_is_named_at_once_and_nothing_is_created(cloud: Cloud) -> None:
    client = cloud.client("cloudformation")
    for operation, more in (
        (client.create_stack, {}),
        (client.create_change_set, {"ChangeSetName": "first", "ChangeSetType": "CREATE"}),
    ):
        with pytest.raises(ClientError) as raised:
            operation(StackName="construct", TemplateBody=template(**RESOURCES), **more)
        error = raised.value.response["Error"]
        assert error["Code"] == "UnsupportedOperation"
        assert error["Message"] == (
            "local_aws does not support the resource types "
            "[AWS::StepFunctions::StateMachine, AWS::Synthetics::Canary]"
        )
    with pytest.raises(ClientError, match="does not exist"):
        cloud.stack("construct")
