"""Requests to MiniStack's services are checked, whoever sends them; CloudFormation's own may set its tags."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.core.clients import INTERNAL
from local_aws.ministack.request_checks.rules import Checks, Rule, other_than
from unit_tests.local_aws.cloudformation_cloud import Cloud, template

Call = Callable[[Cloud, str], Any]
TAGGED: dict[str, tuple[Call, str]] = {
    "ec2": (
        lambda cloud, key: cloud.client("ec2").create_vpc(
            CidrBlock="10.1.0.0/16",
            TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": key, "Value": "v"}]}],
        ),
        "InvalidParameterValue",
    ),
    "events": (
        lambda cloud, key: cloud.client("events").put_rule(
            Name="tagged", ScheduleExpression="rate(1 day)", Tags=[{"Key": key, "Value": "v"}]
        ),
        "ValidationException",
    ),
    "iam": (
        lambda cloud, key: cloud.client("iam").create_user(
            UserName="tagged", Tags=[{"Key": key, "Value": "v"}]
        ),
        "InvalidInput",
    ),
    "logs": (
        lambda cloud, key: cloud.client("logs").create_log_group(logGroupName="tagged", tags={key: "v"}),
        "InvalidParameterException",
    ),
    "sqs": (
        lambda cloud, key: cloud.client("sqs").create_queue(QueueName="tagged", tags={key: "v"}),
        "InvalidParameterValue",
    ),
    "ssm": (
        lambda cloud, key: cloud.client("ssm").put_parameter(
            Name="tagged", Value="v", Type="String", Tags=[{"Key": key, "Value": "v"}]
        ),
        "ValidationException",
    ),
}


@pytest.mark.parametrize(("call", "code"), TAGGED.values(), ids=TAGGED)
def test_a_caller_may_not_set_a_tag_of_aws(cloud: Cloud, call: Call, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        call(cloud, "aws:cloudformation:stack-name")
    assert refused.value.response["Error"]["Code"] == code
    assert call(cloud, "mine")


def test_cloudformation_sets_its_tags_on_a_repository_and_a_caller_may_not(cloud: Cloud) -> None:
    tag = {"Key": "aws:cloudformation:stack-name", "Value": "s"}
    ecr = cloud.client("ecr")
    with pytest.raises(ClientError, match="InvalidTagParameterException"):
        ecr.create_repository(repositoryName="mine", tags=[tag])
    internal = boto3.client(
        "ecr",
        endpoint_url=cloud.server.endpoint,
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key=cloud.server.secret,
        config=Config(user_agent_extra=INTERNAL),
    )
    assert internal.create_repository(repositoryName="internal", tags=[tag])["repository"]


TOPIC = "arn:aws:sns:us-east-1:123456789012:checked"
PIPELINE = "arn:aws:codepipeline:us-east-1:123456789012:p"
DATUM = {"MetricName": "m", "Value": 1.0}
# Service, operation, parameters and AWS's code.
REFUSED: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "a rule of nothing": ("events", "put_rule", {"Name": "r"}, "ValidationException"),
    "a rate of 2 minute": (
        *("events", "put_rule", {"Name": "r", "ScheduleExpression": "rate(2 minute)"}, "ValidationException"),
    ),
    "a pipeline without a role": (
        *("events", "put_targets", {"Rule": "checked", "Targets": [{"Id": "1", "Arn": PIPELINE}]}),
        "ValidationException",
    ),
    "two inputs of a target": (
        *("events", "put_targets"),
        {"Rule": "checked", "Targets": [{"Id": "1", "Arn": TOPIC, "Input": "{}", "InputPath": "$.a"}]},
        "ValidationException",
    ),
    "the deletion of a rule with targets": (
        *("events", "delete_rule", {"Name": "checked"}, "ValidationException"),
    ),
    "a value before two weeks": (
        *("cloudwatch", "put_metric_data"),
        {"Namespace": "N", "MetricData": [{**DATUM, "Timestamp": 1500000000}]},
        "InvalidParameterValue",
    ),
    "a value that is no number": (
        *("cloudwatch", "put_metric_data"),
        {"Namespace": "N", "MetricData": [{**DATUM, "Value": float("inf")}]},
        "InvalidParameterValue",
    ),
    "31 days of logs": (
        *("logs", "put_retention_policy", {"logGroupName": "checked", "retentionInDays": 31}),
        "InvalidParameterException",
    ),
    "a subscription of no function": (
        *("logs", "put_subscription_filter"),
        {
            "logGroupName": "checked",
            "filterName": "f",
            "filterPattern": "",
            "destinationArn": "arn:aws:lambda:us-east-1:123456789012:function:none",
        },
        "InvalidParameterException",
    ),
    "a path without its slash": ("ssm", "get_parameters_by_path", {"Path": "p"}, "ValidationException"),
    "a long standard parameter": (
        *("ssm", "put_parameter", {"Name": "p", "Value": "v" * 4097, "Type": "String"}),
        "ValidationException",
    ),
    "a subject of two lines": (
        *("sns", "publish", {"TopicArn": TOPIC, "Message": "m", "Subject": "a\nb"}, "InvalidParameter"),
    ),
    "an asymmetric key without a usage": (
        *("kms", "create_key", {"KeySpec": "RSA_2048"}, "ValidationException"),
    ),
    "all concurrent executions": (
        *("lambda", "put_function_concurrency"),
        {"FunctionName": "f", "ReservedConcurrentExecutions": 901},
        "InvalidParameterValueException",
    ),
    "a filter policy that is none": (
        *("sns", "subscribe"),
        {
            "TopicArn": TOPIC,
            "Protocol": "email",
            "Endpoint": "a@example.com",
            "Attributes": {"FilterPolicy": "zz"},
        },
        "InvalidParameter",
    ),
}


@pytest.fixture(scope="module")
def checked(cloud: Cloud) -> Cloud:
    """A topic, a log group, and a rule with a target."""
    cloud.client("sns").create_topic(Name="checked")
    cloud.client("logs").create_log_group(logGroupName="checked")
    events = cloud.client("events")
    events.put_rule(Name="checked", ScheduleExpression="rate(2 minutes)", State="DISABLED")
    events.put_targets(Rule="checked", Targets=[{"Id": "1", "Arn": TOPIC}])
    return cloud


@pytest.mark.parametrize(("service", "operation", "params", "code"), REFUSED.values(), ids=REFUSED)
def test_a_request_that_aws_refuses_has_its_code(
    checked: Cloud, service: str, operation: str, params: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(checked.client(service), operation)(**params)
    assert refused.value.response["Error"]["Code"] == code


def test_requests_at_the_limits_are_accepted(checked: Cloud) -> None:
    ssm = checked.client("ssm")
    ssm.put_parameter(Name="/long", Value="v" * 4096, Type="String")
    ssm.put_parameter(Name="/longer", Value="v" * 8192, Type="String", Tier="Advanced")
    assert ssm.get_parameters_by_path(Path="/")["Parameters"]
    checked.client("sns").publish(TopicArn=TOPIC, Message="m", Subject="[x] " + "a" * 95)
    earlier = datetime.now(UTC) - timedelta(days=13)
    checked.client("cloudwatch").put_metric_data(Namespace="N", MetricData=[{**DATUM, "Timestamp": earlier}])
    events = checked.client("events")
    events.put_rule(Name="other", ScheduleExpression="rate(1 minute)")
    events.delete_rule(Name="other")


def test_a_stack_with_tags_is_created(cloud: Cloud) -> None:
    body = template(Parameter={"Type": "AWS::SSM::Parameter", "Name": "p", "Type_": "String", "Value": "v"})
    body = body.replace('"Type_"', '"Type"')
    cloud.client("cloudformation").create_stack(
        StackName="tagged", TemplateBody=body, Tags=[{"Key": "k", "Value": "v"}]
    )
    assert cloud.settled("tagged") == "CREATE_COMPLETE"


def test_a_filter_that_ec2_does_not_have_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        cloud.client("ec2").describe_subnets(Filters=[{"Name": "vpcid", "Values": ["x"]}])
    found = cloud.client("ec2").describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["x"]}])
    assert found["Subnets"] == []


def test_the_first_rule_that_a_request_breaks_answers() -> None:
    checks = Checks(
        states=(
            Rule("Kind", other_than("a", "b"), "First", "{} is no kind", besides=("Other",)),
            Rule("Kind", other_than("a"), "Second", "", ("Describe", "Other")),
        )
    )
    assert checks.state_error("Describe", {"Kind": "c"}) == ("First", "c is no kind")
    assert checks.state_error("Describe", {"Kind": "b"}) == ("Second", "")
    assert checks.state_error("Other", {"Kind": "c"}) == ("Second", "")
    assert checks.state_error("Describe", {"Kind": "a"}) is None
    assert checks.state_error("Describe", {}) is None
