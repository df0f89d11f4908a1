"""EventBridge delivers to log groups with their policy's permission, and not without it."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud, template

EVENTS, DELIVERY = "events.amazonaws.com", "delivery.logs.amazonaws.com"
ACTIONS = ["logs:CreateLogStream", "logs:PutLogEvents"]
SECONDS = 5.0


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    server = start(tmp_path_factory.mktemp("state"))
    yield Cloud(server)
    server.stop()


def target(name: str) -> str:
    return f"arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/{name}"


def stack(name: str, **changed: Any) -> str:
    """Return a log group, its policy and a rule; `changed` overrides the policy's statement."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": [EVENTS, DELIVERY]},
        "Action": ACTIONS,
        "Resource": f"{target(name)}:*",
        **changed,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return template(
        G={"Type": "AWS::Logs::LogGroup", "LogGroupName": f"/aws/events/{name}", "RetentionInDays": 30},
        P={"Type": "AWS::Logs::ResourcePolicy", "PolicyName": f"log-{name}", "PolicyDocument": document},
        R={
            "Type": "AWS::Events::Rule",
            "Name": f"rule-{name}",
            "EventPattern": {"source": [name]},
            "Targets": [{"Arn": target(name), "Id": "Log"}],
        },
    )


def send(cloud: Cloud, name: str) -> None:
    entry = {"Source": name, "DetailType": "Something Happened", "Detail": '{"state": "FAILED"}'}
    assert cloud.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def written(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    found = cloud.client("logs").filter_log_events(logGroupName=f"/aws/events/{name}")["events"]
    return [json.loads(event["message"]) for event in found]


def background_error_with(cloud: Cloud, text: str) -> str:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for error in cloud.server.background_errors():
            if text in error:
                return error
        time.sleep(0.05)
    raise AssertionError(f"no background error with {text!r} in {cloud.server.background_errors()}")


def failed_invocations(cloud: Cloud, name: str) -> float:
    """Return the sum of the metric of one rule (pitfall G5)."""
    now = datetime.now(UTC)
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Events",
        MetricName="FailedInvocations",
        Dimensions=[{"Name": "RuleName", "Value": f"rule-{name}"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_a_whole_event_is_written_if_the_policy_allows_it(cloud: Cloud) -> None:
    assert cloud.create("allowed", stack("allowed")) == "CREATE_COMPLETE"
    send(cloud, "allowed")
    send(cloud, "another-source")
    (event,) = written(cloud, "allowed")
    assert failed_invocations(cloud, "allowed") == 0
    assert (event["source"], event["detail-type"]) == ("allowed", "Something Happened")
    assert event["detail"] == {"state": "FAILED"}
    assert {"version", "id", "account", "time", "region", "resources"} <= event.keys()
    assert cloud.delete("allowed") == "DELETE_COMPLETE"
    assert not cloud.client("logs").describe_resource_policies()["resourcePolicies"]


@pytest.mark.parametrize(
    ("name", "changed", "why"),
    [
        ("other-group", {"Resource": f"{target('elsewhere')}:*"}, EVENTS),
        ("one-principal", {"Principal": {"Service": EVENTS}}, DELIVERY),
        ("one-action", {"Action": ACTIONS[:1]}, "logs:PutLogEvents"),
    ],
)
def test_without_the_policy_the_event_is_lost_with_a_background_error(
    cloud: Cloud, name: str, changed: dict[str, Any], why: str
) -> None:
    assert cloud.create(name, stack(name, **changed)) == "CREATE_COMPLETE"
    send(cloud, name)
    assert why in background_error_with(cloud, f"{target(name)} refused: no resource policy allows")
    assert written(cloud, name) == []
    assert failed_invocations(cloud, name) == 1


def test_a_target_arn_that_ends_with_a_star_delivers_nothing(cloud: Cloud) -> None:
    assert cloud.create("star", stack("star")) == "CREATE_COMPLETE"
    events = cloud.client("events")
    events.put_targets(Rule="rule-star", Targets=[{"Id": "Log", "Arn": f"{target('star')}:*"}])
    send(cloud, "star")
    background_error_with(cloud, "there is no log group /aws/events/star:*")
    assert written(cloud, "star") == []


def test_a_policy_whose_name_is_taken_is_rejected(cloud: Cloud) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    cloud.client("logs").put_resource_policy(policyName="log-taken", policyDocument=document)
    assert cloud.create("taken", stack("taken")) == "ROLLBACK_COMPLETE"
    assert "already exists" in cloud.reasons("taken")


def test_a_log_groups_own_policy_is_enough(cloud: Cloud) -> None:
    """It is none of the account's ten (pitfall A5)."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": [EVENTS, DELIVERY]},
        "Action": ACTIONS,
        "Resource": f"{target('own')}:*",
    }
    resources = json.loads(stack("own"))["Resources"]
    del resources["P"]
    resources["G"]["Properties"]["ResourcePolicyDocument"] = {
        "Version": "2012-10-17",
        "Statement": [statement],
    }
    before = cloud.client("logs").describe_resource_policies()["resourcePolicies"]
    assert cloud.create("own", json.dumps({"Resources": resources})) == "CREATE_COMPLETE"
    assert cloud.client("logs").describe_resource_policies()["resourcePolicies"] == before
    send(cloud, "own")
    assert [event["source"] for event in written(cloud, "own")] == ["own"]


def test_the_eleventh_policy_of_an_account_is_rejected(cloud: Cloud) -> None:
    """The message: https://github.com/aws/copilot-cli/issues/5743 (pitfall A5)."""
    logs, document = cloud.client("logs"), json.dumps({"Version": "2012-10-17", "Statement": []})
    present = len(logs.describe_resource_policies()["resourcePolicies"])
    added = [f"one-of-ten-{number}" for number in range(10 - present)]
    for name in added:
        logs.put_resource_policy(policyName=name, policyDocument=document)
    logs.put_resource_policy(policyName=added[0], policyDocument=document)
    with pytest.raises(logs.exceptions.LimitExceededException, match=r"Resource limit exceeded\.$"):
        logs.put_resource_policy(policyName="the-eleventh", policyDocument=document)
    assert cloud.create("eleventh", stack("eleventh")) == "ROLLBACK_COMPLETE"
    assert "Resource limit exceeded. (Service: CloudWatchLogs, Status Code: 400)" in cloud.reasons("eleventh")
    for name in added:
        logs.delete_resource_policy(policyName=name)
