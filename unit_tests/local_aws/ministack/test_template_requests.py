"""A template is refused for what the service refuses of the request that CloudFormation sends."""

from typing import Any

import pytest

from unit_tests.local_aws.cloudformation_cloud import TRUST, Cloud, template

Resources = dict[str, dict[str, Any]]
VPC = {"Type": "AWS::EC2::VPC", "CidrBlock": "10.8.0.0/16"}
GROUP = {"Type": "AWS::EC2::SecurityGroup", "GroupDescription": "d", "VpcId": {"Ref": "V"}}
TABLE = {"Type": "AWS::EC2::RouteTable", "VpcId": {"Ref": "V"}}
ROLE = {"Type": "AWS::IAM::Role", "AssumeRolePolicyDocument": TRUST}
RULE = {"Type": "AWS::Events::Rule", "ScheduleExpression": "rate(5 minutes)"}
PROJECT = "arn:aws:codebuild:us-east-1:123456789012:project/p"
FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Role": {"Fn::GetAtt": ["R", "Arn"]},
    "Runtime": "python3.12",
    "Handler": "index.handler",
    "Code": {"ZipFile": "x = 1"},
}
ALARM = {
    "Type": "AWS::CloudWatch::Alarm",
    "MetricName": "m",
    "Namespace": "n",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}
SUBSCRIPTION = {
    "Type": "AWS::SNS::Subscription",
    "TopicArn": {"Ref": "T"},
    "Protocol": "email",
    "Endpoint": "a@example.com",
}
ROUTE = {
    "Type": "AWS::EC2::Route",
    "RouteTableId": {"Ref": "T"},
    "DestinationCidrBlock": "0.0.0.0/0",
    "GatewayId": {"Ref": "G"},
}


def bucket_policy(bucket: Any, principal: Any, resource: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": resource}
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Bucket": bucket,
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }


def parameter(**properties: str) -> Resources:
    return {"A": {"Type": "AWS::SSM::Parameter", "Type_": "String", "Value": "v", **properties}}


def ingress(**properties: Any) -> Resources:
    return {"V": VPC, "A": {**GROUP, "SecurityGroupIngress": [{"IpProtocol": "tcp", **properties}]}}


CASES: dict[str, tuple[Resources, str]] = {
    "an empty parameter": (parameter(Value=""), "greater than or equal to 1"),
    "a long parameter": (parameter(Value="v" * 4097), "maximum parameter value of 4096"),
    "a parameter unlike its pattern": (parameter(AllowedPattern="^w$"), "validated against allowedPattern"),
    "a rate of 1 minutes": ({"A": {**RULE, "ScheduleExpression": "rate(1 minutes)"}}, "ScheduleExpression"),
    "a rule for a build without a role": (
        {"A": {**RULE, "Targets": [{"Id": "1", "Arn": PROJECT}]}},
        "RoleArn is required",
    ),
    "a rule for no ARN": ({"A": {**RULE, "Targets": [{"Id": "1", "Arn": "zz"}]}}, "not in correct format"),
    "a pattern of a text": (
        {"A": {"Type": "AWS::Events::Rule", "EventPattern": {"source": "x"}}},
        "Event pattern is not valid",
    ),
    "an open filter pattern": (
        {
            "G": {"Type": "AWS::Logs::LogGroup", "LogGroupName": "filtered"},
            "A": {
                "Type": "AWS::Logs::MetricFilter",
                "LogGroupName": {"Ref": "G"},
                "FilterPattern": "{ $.a = ",
                "MetricTransformations": [
                    {"MetricName": "m", "MetricNamespace": "n", "MetricValue": "1"},
                ],
            },
        },
        "Invalid filter pattern",
    ),
    "a block of 33 bits": (ingress(FromPort=1, ToPort=2, CidrIp="10.0.0.0/33"), "malformed"),
    "ports that fall": (ingress(FromPort=2, ToPort=1, CidrIp="10.0.0.0/8"), "port range"),
    "a rule of a group with ports that fall": (
        {
            "V": VPC,
            "G": GROUP,
            "A": {
                "Type": "AWS::EC2::SecurityGroupIngress",
                "GroupId": {"Fn::GetAtt": ["G", "GroupId"]},
                "IpProtocol": "tcp",
                "FromPort": 2,
                "ToPort": 1,
                "CidrIp": "10.0.0.0/8",
            },
        },
        "port range",
    ),
    "a zone that the region does not have": (
        {
            "V": VPC,
            "A": {
                "Type": "AWS::EC2::Subnet",
                "VpcId": {"Ref": "V"},
                "CidrBlock": "10.8.0.0/24",
                "AvailabilityZone": "us-east-1z",
            },
        },
        "availabilityZone is invalid",
    ),
    "a route before the gateway is attached": (
        {"V": VPC, "T": TABLE, "G": {"Type": "AWS::EC2::InternetGateway"}, "A": ROUTE},
        "belong to different networks",
    ),
    "a bucket named like an address": (
        {"A": {"Type": "AWS::S3::Bucket", "BucketName": "192.168.5.4"}},
        "bucket is not valid",
    ),
    "a public policy": (
        {
            "B": {"Type": "AWS::S3::Bucket", "BucketName": "blocked"},
            "A": bucket_policy({"Ref": "B"}, "*", "arn:aws:s3:::blocked/*"),
        },
        "prevented by the BlockPublicPolicy setting",
    ),
    "an action on objects of a bucket alone": (
        {
            "B": {"Type": "AWS::S3::Bucket", "BucketName": "alone"},
            "A": bucket_policy(
                {"Ref": "B"},
                {"AWS": "arn:aws:iam::123456789012:root"},
                "arn:aws:s3:::alone",
            ),
        },
        "Action does not apply to any resource(s)",
    ),
    "an address without an at sign": (
        {
            "T": {"Type": "AWS::SNS::Topic"},
            "A": {**SUBSCRIPTION, "Endpoint": "zz"},
        },
        "Email address",
    ),
    "a subscription to no topic": (
        {"A": {**SUBSCRIPTION, "TopicArn": "arn:aws:sns:us-east-1:123456789012:none"}},
        "Topic does not exist",
    ),
    "a filter policy of texts": (
        {
            "T": {"Type": "AWS::SNS::Topic"},
            "A": {**SUBSCRIPTION, "FilterPolicy": {"a": "b"}},
        },
        "FilterPolicy",
    ),
    "an ended runtime": ({"R": ROLE, "A": {**FUNCTION, "Runtime": "python3.6"}}, "no longer supported"),
    "a function of a quarter of an hour": ({"R": ROLE, "A": {**FUNCTION, "Timeout": 901}}, "equal to 900"),
    "a function without a handler": (
        {"R": ROLE, "A": {key: value for key, value in FUNCTION.items() if key != "Handler"}},
        "Runtime and Handler are mandatory",
    ),
    "large variables": (
        {"R": ROLE, "A": {**FUNCTION, "Environment": {"Variables": {"AB": "x" * 4096}}}},
        "exceeded the 4KB limit",
    ),
    "an asymmetric key without a usage": (
        {"A": {"Type": "AWS::KMS::Key", "KeySpec": "RSA_2048"}},
        "You must specify a KeyUsage",
    ),
    "a variable of Lambda's": (
        {"R": ROLE, "A": {**FUNCTION, "Environment": {"Variables": {"AWS_REGION": "x"}}}},
        "reserved keys",
    ),
    "an alarm over more than a day": ({"A": {**ALARM, "EvaluationPeriods": 2000}}, "must be <= 86400"),
    "an alarm whose action is no ARN": (
        {"A": {**ALARM, "AlarmActions": ["zz"]}},
        "Invalid arn syntax",
    ),
}


def body(resources: Resources) -> str:
    return template(**resources).replace('"Type_"', '"Type"')


@pytest.mark.parametrize(("resources", "message"), CASES.values(), ids=CASES)
def test_a_template_that_the_service_refuses_fails(
    cloud: Cloud, resources: Resources, message: str, request: pytest.FixtureRequest
) -> None:
    name = f"refused-{list(CASES).index(request.node.callspec.id)}"
    assert cloud.create(name, body(resources)) == "ROLLBACK_COMPLETE"
    assert message in str(cloud.reasons(name))


def test_an_update_is_checked_as_well(cloud: Cloud) -> None:
    cloudformation = cloud.client("cloudformation")
    assert cloud.create("updated", body({"A": RULE})) == "CREATE_COMPLETE"
    wrong = {"A": {**RULE, "ScheduleExpression": "rate(1 minutes)"}}
    cloudformation.update_stack(StackName="updated", TemplateBody=body(wrong))
    assert cloud.settled("updated") == "UPDATE_ROLLBACK_COMPLETE"
    right = {"A": {**RULE, "ScheduleExpression": "rate(1 minute)"}}
    cloudformation.update_stack(StackName="updated", TemplateBody=body(right))
    assert cloud.settled("updated") == "UPDATE_COMPLETE"


def test_a_public_policy_is_accepted_where_nothing_blocks_it(cloud: Cloud) -> None:
    opened = {
        "B": {
            "Type": "AWS::S3::Bucket",
            "BucketName": "opened",
            "PublicAccessBlockConfiguration": {"BlockPublicPolicy": False},
        },
        "A": bucket_policy({"Ref": "B"}, "*", "arn:aws:s3:::opened/*"),
    }
    assert cloud.create("opened", body(opened)) == "CREATE_COMPLETE", cloud.reasons("opened")
