"""The drift check: a quiet week has no message; a finding is told once, when it changes, and when it is gone.

The tests share one environment and run in file order.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

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


@dataclass
class Drift:
    """What somebody changes by hand: a rule, a right, the threshold of the hook, a listener; and undoes."""

    scenario: Scenario
    group: str = ""
    threshold: str = ""

    @property
    def names(self) -> Names:
        """The names of the environment."""
        return Names(self.scenario.environment.suffix)

    @property
    def role(self) -> str:
        """A role whose template has policies."""
        return f"build-role-{self.names.suffix}"

    def plant(self) -> tuple[str, ...]:
        """Change them, and return the beginning of what is told about each."""
        ec2 = self.scenario.cloud.client("ec2")
        filters = [{"Name": "tag:Name", "Values": [f"load-balancer-group-{self.names.suffix}"]}]
        (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        self.group = group["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=ANYONE_TO_SSH)
        self.allow("s3:GetObject")
        self.threshold = self.loosen("NONE")
        idle = self.point_to_the_idle_group()
        return (
            f"AWS::EC2::SecurityGroup {self.group} differs from the template in /SecurityGroupIngress",
            f"AWS::IAM::Role {self.role} differs from the template in /Policies",
            f"AWS::Lambda::Function {self.names.traffic_hook} differs from the template in /Environment",
            f"The production listener points to {idle}, and the PRIMARY task set is behind",
        )

    def allow(self, action: str) -> None:
        """Give the role of Build a right that the template has not."""
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.scenario.cloud.client("iam").put_role_policy(
            RoleName=self.role, PolicyName=POLICY, PolicyDocument=document
        )

    def loosen(self, threshold: str) -> str:
        """Change which findings the test-traffic hook stops; return the old threshold."""
        client, name = self.scenario.cloud.client("lambda"), self.names.traffic_hook
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**variables, "IMAGE_SCAN_THRESHOLD": threshold}}
        )
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
        return str(variables["IMAGE_SCAN_THRESHOLD"])

    def point_to_the_idle_group(self) -> str:
        """Point the production listener to the other target group, and return its name."""
        traffic = listener_drift.inspect(self.names.suffix, self.scenario.cloud.account)
        (idle,) = [each for each in traffic.groups if each != traffic.primary]
        (production,) = [each for each in traffic.listeners if each.route == "production"]
        self.scenario.cloud.client("elbv2").modify_listener(
            ListenerArn=production.arn, DefaultActions=[{"Type": "forward", "TargetGroupArn": idle}]
        )
        return traffic.groups[idle]

    def undo(self) -> None:
        """Make all as the template has it."""
        cloud = self.scenario.cloud
        cloud.client("ec2").revoke_security_group_ingress(GroupId=self.group, IpPermissions=ANYONE_TO_SSH)
        cloud.client("iam").delete_role_policy(RoleName=self.role, PolicyName=POLICY)
        self.loosen(self.threshold)
        drifted = listener_drift.inspect(self.names.suffix, cloud.account)
        listener_drift.repair(drifted, cloud.account, print)


def test_a_quiet_week_has_seven_checks_and_no_message(
    deployed: Scenario, messages: NotificationQueue
) -> None:
    # What a checkout may have, and a deployment does not change: an old database of advisories.
    first = check(deployed).get("new", [])
    assert all(line.startswith("The audit's database of advisories is of ") for line in first)
    messages.receive(wait=2)
    messages.messages.clear()
    assert [check(deployed) for _ in range(7)] == [{}] * 7
    messages.receive(wait=2)
    assert not [each for each in messages.messages if "Drift check" in each]


def test_what_drifts_is_told_in_one_message_once_and_once_more_when_it_is_gone(
    deployed: Scenario, messages: NotificationQueue
) -> None:
    drift = Drift(deployed)
    planted = drift.plant()
    check(deployed)
    message = told_in_one_message(messages, deployed, "4 new")
    assert [each for each in planted if each not in message] == []
    assert check(deployed) == {}

    drift.allow("s3:PutObject")
    assert list(check(deployed)) == ["changed"]
    assert drift.role in told_in_one_message(messages, deployed, "1 changed")
    assert check(deployed) == {}

    drift.undo()
    check(deployed)
    message = told_in_one_message(messages, deployed, "4 gone")
    assert f"CloudFormation: AWS::IAM::Role {drift.role}" in message
    assert check(deployed) == {}
    messages.receive(wait=2)
    assert len(messages.messages) == 1, "no message of the last check"
