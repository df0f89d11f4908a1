"""The settings of the network: its own addresses and logs, protection from deletion, and an existing VPC.

The tests share both environments and run in file order.
"""

import json
import sys
from collections.abc import Iterator
from subprocess import DEVNULL, run
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud import PROJECT, Cloud
from harness.scenario import Scenario
from harness.suffixes import random_suffix
from integration_tests.support.scenario_fixtures import running_scenario
from operations.errors import OperationsError

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

CIDR = "10.42.0.0/20"
SETTINGS = {"vpcCidr": CIDR, "flowLogs": "true", "accessLogs": "true", "terminationProtection": "true"}


@pytest.fixture(scope="module")
def owner(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """An environment with a VPC of its own and every setting of the network."""
    with running_scenario(cloud, request, suffix=random_suffix("it"), context=SETTINGS) as scenario:
        scenario.deploy()
        scenario.wait_for_seed()
        yield scenario


@pytest.fixture(scope="module")
def guest(owner: Scenario, cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """An environment in the VPC of the other one, given by id."""
    existing = json.dumps(existing_vpc(owner))
    suffix = f"{owner.environment.suffix}-2"
    with running_scenario(cloud, request, suffix=suffix, context={"existingVpc": existing}) as scenario:
        scenario.deploy()
        scenario.wait_for_seed()
        yield scenario


def vpc_of(scenario: Scenario) -> str:
    """Return the VPC of an environment."""
    wanted = [{"Name": "tag:Name", "Values": [f"vpc-{scenario.environment.suffix}"]}]
    (vpc,) = scenario.cloud.client("ec2").describe_vpcs(Filters=wanted)["Vpcs"]
    assert vpc["CidrBlock"] == CIDR
    return str(vpc["VpcId"])


def existing_vpc(scenario: Scenario) -> dict[str, Any]:
    """Return the value of `existingVpc` that names the network of an environment."""
    ec2, suffix = scenario.cloud.client("ec2"), scenario.environment.suffix
    vpc = vpc_of(scenario)
    found = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    names = {
        next(tag["Value"] for tag in one["Tags"] if tag["Key"] == "Name"): one["SubnetId"] for one in found
    }
    addresses = ec2.describe_addresses(Filters=[{"Name": "tag:environment", "Values": [suffix]}])["Addresses"]
    return {
        "vpcId": vpc,
        "publicSubnetIds": [names[f"public-subnet-{number}-{suffix}"] for number in (1, 2)],
        "privateSubnetIds": [names[f"private-subnet-{number}-{suffix}"] for number in (1, 2)],
        "natAddresses": [one["PublicIp"] for one in addresses],
    }


def test_the_default_security_group_has_no_rules(owner: Scenario) -> None:
    """The function that removed them logs to a group of the stack, and leaves none behind (pitfall H9)."""
    wanted = [
        {"Name": "vpc-id", "Values": [vpc_of(owner)]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    (group,) = owner.cloud.client("ec2").describe_security_groups(Filters=wanted)["SecurityGroups"]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])


def test_requests_to_s3_bypass_nat(owner: Scenario) -> None:
    """The endpoint is in the route tables of both private subnets (pitfall J4)."""
    found = owner.cloud.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    (endpoint,) = [one for one in found if one["VpcId"] == vpc_of(owner)]
    assert endpoint["ServiceName"] == "com.amazonaws.us-east-1.s3"
    assert len(endpoint["RouteTableIds"]) == 2


def test_the_load_balancer_may_write_its_access_logs(owner: Scenario) -> None:
    account, suffix = owner.cloud.account.id, owner.environment.suffix
    bucket = f"access-logs-{suffix}-{account}-us-east-1"
    key = f"AWSLogs/{account}/ELBAccessLogTestFile"
    assert owner.cloud.client("s3").head_object(Bucket=bucket, Key=key)


def test_the_traffic_of_the_vpc_is_logged(owner: Scenario) -> None:
    (flow_log,) = [
        one
        for one in owner.cloud.client("ec2").describe_flow_logs()["FlowLogs"]
        if one["ResourceId"] == vpc_of(owner)
    ]
    assert flow_log["FlowLogStatus"] == "ACTIVE"


def test_a_release_in_an_existing_vpc_reaches_all_traffic(guest: Scenario) -> None:
    """Its hook reaches the test listener through the NAT gateways that the setting names."""
    developer = guest.developer()
    commit = developer.greet("Hello from an existing VPC")
    guest.push(developer, commit)
    assert guest.served_version() == commit
    named = guest.environment.leftovers().remaining
    assert not {one.kind for one in named} & {"VPC", "subnet", "NAT gateway", "VPC endpoint"}


def test_the_vpc_is_not_destroyed_while_the_other_environment_uses_it(
    owner: Scenario, guest: Scenario
) -> None:
    with pytest.raises(OperationsError, match=f"is shared by {guest.environment.suffix}"):
        owner.environment.destroy(print)
    guest.destroy()
    assert vpc_of(owner)


def test_termination_protection_refuses_a_deletion_and_destroy_asks_for_the_name(owner: Scenario) -> None:
    suffix = owner.environment.suffix
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        owner.cloud.client("cloudformation").delete_stack(StackName=f"stack-{suffix}")
    done = run(  # noqa: S603 - our own command
        [sys.executable, "-m", "operations", "destroy", suffix],
        cwd=PROJECT,
        env=owner.cloud.environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=DEVNULL,
    )
    assert done.returncode == 2
    assert done.stderr.rstrip().endswith(f"add --confirm {suffix}")


def test_destroying_it_leaves_nothing(owner: Scenario) -> None:
    """Protection is switched off, the load balancer goes before its logs, and no log group remains."""
    owner.destroy()
