"""Checks of quotas: what the account is allowed, what it uses, what the environment needs."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.preflight.check import Check, Subject, failed, ok

NAT_STATES = ("pending", "available", "deleting")


@dataclass(frozen=True)
class Quota:
    """One quota. `used` counts what exists; None if only the quota itself matters (pitfall A2)."""

    name: str
    service: str
    code: str
    needed: Callable[[Subject], int]
    used: Callable[[Account], int] | None = None


def quotas(subject: Subject) -> Iterator[Check]:
    """Compare each quota with what is used and needed; a deployed environment needs no more."""
    deployed = subject.status is not None
    for quota in QUOTAS:
        allowed = _allowed(subject.account, quota)
        used = quota.used(subject.account) if quota.used else 0
        needed = 0 if deployed and quota.used else quota.needed(subject)
        found = f"{allowed} allowed, {f'{used} used, ' if quota.used else ''}{needed} needed"
        if used + needed <= allowed:
            yield ok(quota.name, found)
            continue
        remedy = (
            f"aws service-quotas request-service-quota-increase --region {subject.account.region}"
            f" --service-code {quota.service} --quota-code {quota.code} --desired-value {used + needed}"
        )
        yield failed(quota.name, found, remedy)


def _allowed(account: Account, quota: Quota) -> int:
    client = account.client("service-quotas")
    which = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        found = client.get_service_quota(**which)
    except ClientError as error:
        # An account that never requested an increase may have no value of its own.
        if code_of(error) != "NoSuchResourceException":
            raise
        found = client.get_aws_default_service_quota(**which)
    return int(found["Quota"]["Value"])


def _count(service: str, operation: str, key: str) -> Callable[[Account], int]:
    return lambda account: sum(1 for _ in account.pages(service, operation, key))


def _load_balancers(account: Account) -> int:
    found = account.pages("elbv2", "describe_load_balancers", "LoadBalancers")
    return sum(1 for balancer in found if balancer["Type"] == "application")


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
    ),
    Quota(
        "VPCs",
        "vpc",
        "L-F678F1CE",
        lambda subject: subject.settings.networks,
        _count("ec2", "describe_vpcs", "Vpcs"),
    ),
    Quota(
        "internet gateways",
        "vpc",
        "L-A4707A72",
        lambda subject: subject.settings.networks,
        _count("ec2", "describe_internet_gateways", "InternetGateways"),
    ),
    Quota(
        "Elastic IP addresses",
        "ec2",
        "L-0263D0A3",
        lambda subject: subject.settings.nat_gateways,
        _count("ec2", "describe_addresses", "Addresses"),
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
