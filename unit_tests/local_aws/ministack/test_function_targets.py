"""EventBridge delivers to functions with their policy's permission, and not without it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.daemon import start
from operations.waiting import NotYetError, wait_for
from unit_tests.local_aws.cloudformation_cloud import Cloud, template
from unit_tests.local_aws.ministack.test_functions import MAY_LOG, function

CODE = "def handler(event, context):\n    print('got', event['detail'])\n"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    server = start(tmp_path_factory.mktemp("state"))
    yield Cloud(server)
    server.stop()


def stack(name: str, rule: str) -> str:
    """Return a function, a rule that invokes it, and the permission of the rule with a name."""
    parts: dict[str, Any] = function(name, Code={"ZipFile": CODE})
    parts["Role"]["Policies"] = [{"PolicyName": "log", "PolicyDocument": MAY_LOG}]
    return template(
        **parts,
        Rule={
            "Type": "AWS::Events::Rule",
            "Name": f"rule-{name}",
            "EventPattern": {"source": [name]},
            "Targets": [{"Arn": {"Fn::GetAtt": ["Function", "Arn"]}, "Id": "Function"}],
        },
        Permission={
            "Type": "AWS::Lambda::Permission",
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "Function"},
            "Principal": "events.amazonaws.com",
            "SourceArn": f"arn:aws:events:us-east-1:123456789012:rule/{rule}",
        },
    )


def send(cloud: Cloud, name: str) -> None:
    entry = {"Source": name, "DetailType": "Something Happened", "Detail": '{"state": "START"}'}
    assert cloud.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def lines(cloud: Cloud, name: str) -> list[str]:
    try:
        found = cloud.client("logs").filter_log_events(logGroupName=f"/lambda/{name}")["events"]
    except ClientError:
        return []
    return [event["message"] for event in found if "got" in event["message"]]


def test_a_rule_with_the_permission_invokes_the_function(cloud: Cloud) -> None:
    assert cloud.create("allowed", stack("allowed", "rule-allowed")) == "CREATE_COMPLETE"
    send(cloud, "allowed")

    def look() -> None:
        if not lines(cloud, "allowed"):
            raise NotYetError("no line")

    wait_for("the function's line", look, deadline=20, interval=0.1)


def test_without_it_the_event_is_lost_with_a_background_error(cloud: Cloud) -> None:
    assert cloud.create("refused", stack("refused", "rule-another")) == "CREATE_COMPLETE"
    send(cloud, "refused")
    deadline = time.monotonic() + 5
    while not any("function:refused refused" in each for each in cloud.server.background_errors()):
        assert time.monotonic() < deadline, cloud.server.background_errors()
        time.sleep(0.05)
    assert lines(cloud, "refused") == []
