"""The states of idle functions, and the schedules that keep them Active (pitfall N7)."""

import json
import time
from collections.abc import Iterator
from urllib.error import HTTPError

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud, Template, template
from unit_tests.local_aws.ministack.test_functions import MAY_LOG, NETWORK, function

SECONDS = 20.0


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A server of the module's own, with the network of its functions."""
    server = start(tmp_path_factory.mktemp("state"))
    cloud = Cloud(server)
    assert cloud.create("network", template(**NETWORK)) == "CREATE_COMPLETE"
    yield cloud
    server.stop()


def vpc_config(cloud: Cloud) -> dict[str, list[str]]:
    subnet, group = cloud.physical("network", "Subnet"), cloud.physical("network", "Group")
    return {"SubnetIds": [subnet], "SecurityGroupIds": [group]}


def create(cloud: Cloud, name: str, more: dict[str, Template] | None = None, *, in_vpc: bool = True) -> None:
    resources = function(name, **({"VpcConfig": vpc_config(cloud)} if in_vpc else {}))
    resources["Role"]["Policies"] = [{"PolicyName": "logs", "PolicyDocument": MAY_LOG}]
    assert cloud.create(name, template(**resources, **(more or {}))) == "CREATE_COMPLETE", cloud.reasons(name)


def schedule(name: str, rate: str, *, permitted: bool = True) -> dict[str, Template]:
    arn = {"Fn::GetAtt": ["Function", "Arn"]}
    target = {"Id": "t", "Arn": arn, "Input": json.dumps({"name": "on schedule"})}
    rule = {"Type": "AWS::Events::Rule", "Name": name, "ScheduleExpression": rate, "Targets": [target]}
    permission = {
        "Type": "AWS::Lambda::Permission",
        "FunctionName": arn,
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
    }
    return {"Rule": rule, **({"Permission": permission} if permitted else {})}


def states(cloud: Cloud, name: str) -> list[tuple[str, str]]:
    """The state of a function, and its reason, by each operation that returns them."""
    client = cloud.client("lambda")
    (listed,) = [one for one in client.list_functions()["Functions"] if one["FunctionName"] == name]
    found = [
        client.get_function(FunctionName=name)["Configuration"],
        client.get_function_configuration(FunctionName=name),
        listed,
    ]
    return list(dict.fromkeys((one["State"], one.get("StateReasonCode", "")) for one in found))


def invoke(cloud: Cloud, name: str, kind: str = "RequestResponse") -> str:
    """Invoke a function once, without the retries of boto3; return an error's code."""
    client = boto3.client(
        "lambda",
        endpoint_url=cloud.server.endpoint,
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key=cloud.server.secret,
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        client.invoke(FunctionName=name, InvocationType=kind, Payload=json.dumps({"name": name}).encode())
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def lines(cloud: Cloud, name: str) -> list[str]:
    found = cloud.client("logs").filter_log_events(logGroupName=f"/lambda/{name}")["events"]
    return [one["message"] for one in found if one["message"].startswith("called")]


def wait_for_lines(cloud: Cloud, name: str, count: int) -> None:
    deadline = time.monotonic() + SECONDS
    while len(lines(cloud, name)) < count:
        assert time.monotonic() < deadline, (states(cloud, name), lines(cloud, name))
        time.sleep(0.1)


def test_a_function_in_a_vpc_is_inactive_after_14_idle_days(cloud: Cloud) -> None:
    create(cloud, "idle")
    cloud.server.skip_days(13)
    assert invoke(cloud, "idle") == ""
    cloud.server.skip_days(13)
    assert states(cloud, "idle") == [("Active", "")], "an invocation begins the idle time again"
    cloud.server.skip_days(1)
    assert states(cloud, "idle") == [("Inactive", "Idle")]


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_the_next_invocation_fails_and_restores_an_inactive_function(cloud: Cloud, kind: str) -> None:
    name = f"restored-{kind}"
    create(cloud, name)
    cloud.server.skip_days(30)
    assert invoke(cloud, name, "DryRun") == ""
    assert states(cloud, name) == [("Inactive", "Idle")]
    assert invoke(cloud, name, kind) == "ResourceNotReadyException"
    assert states(cloud, name) == [("Pending", "Restoring")]
    assert invoke(cloud, name, kind) == "ResourceNotReadyException"
    cloud.client("lambda").get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    assert states(cloud, name) == [("Active", "")]
    assert invoke(cloud, name, kind) == ""


def test_a_function_without_a_vpc_stays_active(cloud: Cloud) -> None:
    create(cloud, "outside", in_vpc=False)
    cloud.server.skip_days(30)
    assert states(cloud, "outside") == [("Active", "")]
    assert invoke(cloud, "outside") == ""


def test_a_daily_schedule_keeps_a_function_active(cloud: Cloud) -> None:
    create(cloud, "daily", schedule("daily", "rate(1 day)"))
    cloud.server.skip_days(30)
    assert states(cloud, "daily") == [("Active", "")]
    wait_for_lines(cloud, "daily", 30)
    assert lines(cloud, "daily") == ["called on schedule"] * 30
    assert invoke(cloud, "daily") == ""


def test_a_rate_is_scaled_by_the_clock(cloud: Cloud) -> None:
    create(cloud, "minutely", schedule("minutely", "rate(1 minute)"))
    wait_for_lines(cloud, "minutely", 2)  # At a time scale of 0.02, a minute takes 1.2 s.


def test_a_schedule_that_finds_an_inactive_function_is_retried(cloud: Cloud) -> None:
    create(cloud, "monthly", schedule("monthly", "rate(30 days)"))
    cloud.server.skip_days(30)
    wait_for_lines(cloud, "monthly", 1)
    assert states(cloud, "monthly") == [("Active", "")]


def test_a_rule_without_a_permission_on_the_function_does_not_invoke_it(cloud: Cloud) -> None:
    create(cloud, "closed", schedule("closed", "rate(1 day)", permitted=False))
    cloud.server.skip_days(15)
    assert states(cloud, "closed") == [("Inactive", "Idle")]
    assert lines(cloud, "closed") == []
    assert any("Lambda" in error and "refused" in error for error in cloud.server.background_errors())


@pytest.mark.parametrize("query", ["", "days=0", "days=1000", "days=x"])
def test_only_a_number_of_days_can_be_skipped(cloud: Cloud, query: str) -> None:
    assert status(cloud, query, b"") == 400


def test_a_read_skips_nothing(cloud: Cloud) -> None:
    assert status(cloud, "days=1", None) == 405


def status(cloud: Cloud, query: str, body: bytes | None) -> int:
    with pytest.raises(HTTPError) as error:
        cloud.server._get(f"skip-days?{query}", body)
    error.value.close()
    return error.value.code
