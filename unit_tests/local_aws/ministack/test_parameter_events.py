"""Each change of a parameter is an event, whether a call or a stack makes it, and names who made it."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    server = start(tmp_path_factory.mktemp("state"))
    cloud = Cloud(server)
    url = cloud.client("sqs").create_queue(QueueName="events")["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:events"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    pattern = json.dumps({"source": ["aws.ssm"], "detail-type": ["Parameter Store Change"]})
    cloud.client("events").put_rule(Name="parameters", EventPattern=pattern)
    cloud.client("events").put_targets(Rule="parameters", Targets=[{"Id": "q", "Arn": queue}])
    yield cloud
    server.stop()


def received(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the events since the last call."""
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName="events")["QueueUrl"]
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_creating_updating_and_deleting_a_parameter_are_events_with_its_description(cloud: Cloud) -> None:
    ssm = cloud.client("ssm")
    given = {"Name": "/a/b", "Value": "a value", "Type": "String"}
    ssm.put_parameter(**given, Description="first")
    ssm.put_parameter(**given, Description="second", Overwrite=True)
    ssm.delete_parameter(Name="/a/b")
    events = received(cloud)
    assert [event["detail"] for event in events] == [
        {"operation": operation, "name": "/a/b", "type": "String", "description": description}
        for operation, description in (("Create", "first"), ("Update", "second"), ("Delete", "second"))
    ]
    for event in events:
        assert (event["source"], event["detail-type"]) == ("aws.ssm", "Parameter Store Change")
        assert event["account"] == ACCOUNT
        assert event["resources"] == [f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/a/b"]
    assert "a value" not in json.dumps(events), "AWS sends no value"


def test_a_parameter_without_a_description_has_none_in_its_event(cloud: Cloud) -> None:
    cloud.client("ssm").put_parameter(Name="plain", Value="1", Type="StringList")
    (event,) = received(cloud)
    assert event["detail"] == {"operation": "Create", "name": "plain", "type": "StringList"}


def test_a_refused_call_is_no_event(cloud: Cloud) -> None:
    ssm = cloud.client("ssm")
    ssm.put_parameter(Name="taken", Value="1", Type="String")
    received(cloud)
    with pytest.raises(ClientError, match="ParameterAlreadyExists"):
        ssm.put_parameter(Name="taken", Value="2", Type="String")
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.delete_parameter(Name="absent")
    assert received(cloud) == []


def test_deleting_several_parameters_is_an_event_for_each_that_existed(cloud: Cloud) -> None:
    ssm = cloud.client("ssm")
    for name in ("one", "two"):
        ssm.put_parameter(Name=name, Value="1", Type="String")
    received(cloud)
    ssm.delete_parameters(Names=["one", "two", "absent"])
    details = [event["detail"] for event in received(cloud)]
    assert [(each["operation"], each["name"]) for each in details] == [("Delete", "one"), ("Delete", "two")]


def test_a_stack_changes_parameters_with_the_same_events(cloud: Cloud) -> None:
    properties = {"Name": "/s/p", "Type": "String", "Value": "1"}
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": properties}
    assert cloud.create("parameters", json.dumps({"Resources": {"P": parameter}})) == "CREATE_COMPLETE"
    assert cloud.delete("parameters") == "DELETE_COMPLETE"
    details = [event["detail"] for event in received(cloud)]
    assert [(each["operation"], each["name"]) for each in details] == [("Create", "/s/p"), ("Delete", "/s/p")]


def test_the_history_names_the_session_that_wrote_a_version(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/cli/latest/reference/ssm/get-parameter-history.html has such a session."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    may = {"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "*"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, may)]
    iam = cloud.client("iam")
    iam.create_role(RoleName="approvers", AssumeRolePolicyDocument=documents[0])
    iam.put_role_policy(RoleName="approvers", PolicyName="rights", PolicyDocument=documents[1])
    role = f"arn:aws:iam::{ACCOUNT}:role/approvers"
    keys = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="mary")["Credentials"]
    session = boto3.client(
        "ssm",
        endpoint_url=cloud.server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    ssm, given = cloud.client("ssm"), {"Name": "/a/history", "Value": "1", "Type": "String"}
    ssm.put_parameter(**given)
    session.put_parameter(**given, Overwrite=True)
    root, mary = f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:sts::{ACCOUNT}:assumed-role/approvers/mary"
    history = ssm.get_parameter_history(Name="/a/history")["Parameters"]
    assert [each["LastModifiedUser"] for each in history] == [root, mary]
    (described,) = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": ["/a/history"]}])[
        "Parameters"
    ]
    assert described["LastModifiedUser"] == mary
