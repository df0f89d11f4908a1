"""Requests to MiniStack's services are checked, whoever sends them; CloudFormation's own may set its tags."""

from collections.abc import Callable
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
