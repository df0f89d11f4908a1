"""Check the existing VPC that an environment names in cdk.json, which synth does not look up."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from operations.account import Account
from operations.preflight.check import Check, Subject, failed, ok

CHECK = "existing VPC"


def existing_vpc(subject: Subject) -> Iterator[Check]:
    """Check that the VPC and its subnets exist, and that each pair of subnets is in two zones."""
    given = subject.settings.existing_vpc
    if given is None:
        return
    problems = list(_problems(given, subject.account))
    if problems:
        remedy = f"correct existingVpc of {subject.suffix} in cdk.json"
        yield failed(CHECK, "; ".join(problems), remedy)
    else:
        yield ok(CHECK, f"{given['vpcId']} with its subnets exists")


def _problems(given: Mapping[str, Any], account: Account) -> Iterator[str]:
    # By filters, not by ids: EC2 returns what exists, and no error for the rest.
    vpc = given["vpcId"]
    if not list(account.pages("ec2", "describe_vpcs", "Vpcs", Filters=_filter("vpc-id", vpc))):
        yield f"there is no VPC {vpc} in this account and region"
        return
    for key in ("publicSubnetIds", "privateSubnetIds"):
        yield from _subnet_problems(key, given[key], vpc, account)


def _subnet_problems(key: str, wanted: Sequence[str], vpc: str, account: Account) -> Iterator[str]:
    pages = account.pages("ec2", "describe_subnets", "Subnets", Filters=_filter("subnet-id", *wanted))
    found = {subnet["SubnetId"]: subnet for subnet in pages}
    for id_ in wanted:
        if id_ not in found:
            yield f"there is no subnet {id_}"
        elif found[id_]["VpcId"] != vpc:
            yield f"subnet {id_} is in {found[id_]['VpcId']}"
    zones = {subnet["AvailabilityZone"] for subnet in found.values()}
    if len(found) == len(wanted) and len(zones) == 1:
        yield f"the {key} are all in {zones.pop()}"


def _filter(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]
