"""Checks of quotas: what the account is allowed, what it uses, what the environment needs.

Below are the quotas of which an environment may need more than a new account has; limits.py has the others.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from operations.account import Account
from operations.preflight.check import Check, Room, Subject, failed, ok
from operations.preflight.limits import allowed_in, count, limits, raise_command

NAT_STATES = ("pending", "available", "deleting")


@dataclass(frozen=True)
class Quota:
    """One quota. `used` counts what exists; None if only the quota itself matters (pitfall A2).

    `running` counts what runs at the moment. A deployment may need it again, so it matters to further
    environments only.
    """

    name: str
    service: str
    code: str
    needed: Callable[[Subject], int]
    used: Callable[[Account], int] | None = None
    running: Callable[[Account], int] | None = None


def quotas(subject: Subject) -> Iterator[Check]:
    """Compare each quota with what is used and needed; a deployed environment needs no more."""
    rooms = []
    for quota in QUOTAS:
        room = _room(subject, quota)
        found = room.found if quota.used else f"{room.allowed} allowed, {room.needed} needed"
        if room.fits:
            yield ok(quota.name, found)
        else:
            yield failed(quota.name, found, raise_command(subject, quota.service, quota.code, room))
        if quota.needed(subject) and (quota.used or quota.running):
            running = quota.running(subject.account) if quota.running else 0
            rooms.append(_further(subject, quota, room, running))
    yield from limits(subject, rooms)


def _further(subject: Subject, quota: Quota, room: Room, running: int) -> Room:
    each = quota.needed(subject)
    return Room.of(room.limit, room.allowed, room.used + running, room.needed, each=each)


def _room(subject: Subject, quota: Quota) -> Room:
    allowed = allowed_in(subject.account, quota.service, quota.code)
    used = quota.used(subject.account) if quota.used else 0
    each = quota.needed(subject)
    needed = 0 if subject.status is not None and quota.used else each
    return Room.of(quota.name, allowed, used, needed, each=max(each, 1))


def _load_balancers(account: Account) -> int:
    found = account.pages("elbv2", "describe_load_balancers", "LoadBalancers")
    return sum(1 for balancer in found if balancer["Type"] == "application")


def _fargate_vcpus(account: Account) -> int:
    """Return the most vCPUs of Fargate tasks in the last hour, of all environments.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/monitoring-fargate-usage.html
    """
    tracked = {"Service": "Fargate", "Type": "Resource", "Resource": "vCPU", "Class": "Standard/OnDemand"}
    now = datetime.now(UTC)
    found = account.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Usage",
        MetricName="ResourceCount",
        Dimensions=[{"Name": name, "Value": value} for name, value in tracked.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now,
        Period=3600,
        Statistics=["Maximum"],
    )
    return math.ceil(max((point["Maximum"] for point in found["Datapoints"]), default=0))


def _nat_gateways(account: Account) -> int:
    """Return the higher number of NAT gateways in the first two zones, which a deployment uses."""
    found_zones = account.pages("ec2", "describe_availability_zones", "AvailabilityZones")
    zones = sorted(zone["ZoneName"] for zone in found_zones)[:2]
    zone_of = {
        subnet["SubnetId"]: subnet["AvailabilityZone"]
        for subnet in account.pages("ec2", "describe_subnets", "Subnets")
    }
    found = Counter(
        zone_of.get(gateway["SubnetId"])
        for gateway in account.pages("ec2", "describe_nat_gateways", "NatGateways")
        if gateway["State"] in NAT_STATES
    )
    return max((found[zone] for zone in zones), default=0)


# The codes are those of `aws service-quotas list-service-quotas --service-code ...`.
QUOTAS = (
    Quota(
        "concurrent builds (CodeBuild, Linux/Small)",
        "codebuild",
        "L-9D07B6EF",
        lambda _: 1,
    ),
    Quota(
        "vCPUs of Fargate",
        "fargate",
        "L-3032A538",
        lambda subject: subject.settings.fargate_vcpus,
        running=_fargate_vcpus,
    ),
    Quota(
        "VPCs",
        "vpc",
        "L-F678F1CE",
        lambda subject: subject.settings.networks,
        count("ec2", "describe_vpcs", "Vpcs"),
    ),
    Quota(
        "internet gateways",
        "vpc",
        "L-A4707A72",
        lambda subject: subject.settings.networks,
        count("ec2", "describe_internet_gateways", "InternetGateways"),
    ),
    Quota(
        "Elastic IP addresses",
        "ec2",
        "L-0263D0A3",
        lambda subject: subject.settings.nat_gateways,
        count("ec2", "describe_addresses", "Addresses"),
    ),
    Quota(
        "NAT gateways in a zone",
        "vpc",
        "L-FE5A380F",
        lambda subject: subject.settings.networks,
        _nat_gateways,
    ),
    Quota(
        "application load balancers",
        "elasticloadbalancing",
        "L-53DA6B97",
        lambda _: 1,
        _load_balancers,
    ),
)
