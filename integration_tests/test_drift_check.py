"""The drift check: a quiet week has no message; a finding is told once, when it changes, and when it is gone.

The tests share one environment and run in file order.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from harness.notifications import NotificationQueue, subscribed
from harness.scenario import Scenario
from operations import listener_drift
from operations.names import Names

pytestmark = [pytest.mark.timeout(2 * 3600), pytest.mark.slow]

ANYONE_TO_SSH: list[dict[str, Any]] = [
    {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
]
POLICY = "added-by-hand"
COUNTS = "Drift check of {}: {}\n"


@pytest.fixture(scope="module")
def messages(deployed: Scenario) -> Iterator[NotificationQueue]:
    """Receive what the topic gets from here on."""
    with subscribed(deployed.cloud, deployed.outputs.topic_arn) as queue:
        yield queue


def check(scenario: Scenario) -> dict[str, list[str]]:
    """Run the check as its schedule does, and return what it told."""
    answer = scenario.cloud.client("lambda").invoke(FunctionName=f"drift-check-{scenario.environment.suffix}")
    told: dict[str, list[str]] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return told


def told_in_one_message(messages: NotificationQueue, scenario: Scenario, counts: str) -> str:
    """Return the one message that has arrived since the last call, with these counts."""
    messages.messages.clear()
    found = messages.wait_for(COUNTS.format(scenario.environment.suffix, counts))
    messages.receive(wait=2)
    assert len(found) == 1, found
    return found[0]


def open_ssh(scenario: Scenario) -> str:
    """Admit everyone to a port of the load balancer's group, and return the id of the group."""
    ec2 = scenario.cloud.client("ec2")
    name = f"load-balancer-group-{scenario.environment.suffix}"
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "tag:Name", "Values": [name]}])[
        "SecurityGroups"
    ]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=ANYONE_TO_SSH)
    return str(group["GroupId"])


def allow_by_hand(scenario: Scenario, action: str) -> str:
    """Give the role of Build a right that the template has not, and return the name of the role."""
    role = f"build-role-{scenario.environment.suffix}"
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    scenario.cloud.client("iam").put_role_policy(RoleName=role, PolicyName=POLICY, PolicyDocument=document)
    return role


def loosen_the_scan(scenario: Scenario, threshold: str) -> str:
    """Change what the test-traffic hook stops, and return the name of its function and the old threshold."""
    client, name = scenario.cloud.client("lambda"), Names(scenario.environment.suffix).traffic_hook
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "IMAGE_SCAN_THRESHOLD": threshold}}
    )
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    return str(variables["IMAGE_SCAN_THRESHOLD"])


def test_a_quiet_week_has_seven_checks_and_no_message(
    deployed: Scenario, messages: NotificationQueue
) -> None:
    assert [check(deployed) for _ in range(7)] == [{}] * 7
    messages.receive(wait=2)
    assert not [each for each in messages.messages if "Drift check" in each]


def test_what_drifts_is_told_in_one_message_once_and_once_more_when_it_is_gone(
    deployed: Scenario, messages: NotificationQueue
) -> None:
    suffix = deployed.environment.suffix
    group, role = open_ssh(deployed), allow_by_hand(deployed, "s3:GetObject")
    threshold = loosen_the_scan(deployed, "NONE")
    account = deployed.cloud.account
    (production,) = [
        each for each in listener_drift.inspect(suffix, account).listeners if each.route == "production"
    ]
    traffic = listener_drift.inspect(suffix, account)
    (idle,) = [each for each in traffic.groups if each != traffic.primary]
    deployed.cloud.client("elbv2").modify_listener(
        ListenerArn=production.arn, DefaultActions=[{"Type": "forward", "TargetGroupArn": idle}]
    )
    check(deployed)
    message = told_in_one_message(messages, deployed, "4 new")
    assert f"AWS::EC2::SecurityGroup {group} differs from the template in /SecurityGroupIngress" in message
    assert f"AWS::IAM::Role {role} " in message
    assert f"AWS::Lambda::Function {Names(suffix).traffic_hook} differs" in message
    assert f"The production listener points to {traffic.groups[idle]}" in message
    assert check(deployed) == {}

    allow_by_hand(deployed, "s3:PutObject")
    assert list(check(deployed)) == ["changed"]
    assert role in told_in_one_message(messages, deployed, "1 changed")
    assert check(deployed) == {}

    client = deployed.cloud.client("ec2")
    client.revoke_security_group_ingress(GroupId=group, IpPermissions=ANYONE_TO_SSH)
    deployed.cloud.client("iam").delete_role_policy(RoleName=role, PolicyName=POLICY)
    loosen_the_scan(deployed, threshold)
    drifted = listener_drift.inspect(suffix, account)
    listener_drift.repair(drifted, account, Console().print)
    check(deployed)
    message = told_in_one_message(messages, deployed, "4 gone")
    assert f"CloudFormation: AWS::IAM::Role {role}" in message
    assert "listeners: the production listener" in message
    assert check(deployed) == {}
    messages.receive(wait=2)
    assert len(messages.messages) == 1, "no message of the last check"
