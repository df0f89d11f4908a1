"""What prevents CloudFormation from deleting a stack, and how to remove it."""

from collections.abc import Callable, Iterator
from typing import Any

from operations.account import Account, batches
from operations.errors import OperationsError
from operations.ownership import ENVIRONMENT_TAG, PROJECT, PROJECT_TAG, normalize_tags
from operations.root_stack import Failure, failures, root_stack

Log = Callable[[str], None]

# A network interface prevents their deletion, even when nothing uses it (pitfall I5).
HELD_BY_INTERFACES = frozenset({"AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::EC2::VPC"})
# The limit of DeleteObjects.
OBJECTS_AT_ONCE = 1000


def remove_blockers(suffix: str, account: Account, log: Log, *, dry_run: bool = False) -> None:
    """Switch termination protection off; remove what made the last deletion fail (pitfalls H7, I4, I5)."""
    stack = root_stack(suffix, account)
    if stack is None:
        return
    if stack.get("EnableTerminationProtection"):
        _switch_protection_off(stack["StackName"], account, log, dry_run)
    if stack["StackStatus"] != "DELETE_FAILED":
        return
    failed = failures(stack["StackId"], account)
    for failure in failed:
        log(f"could not be deleted last time: {failure}")
    _empty_buckets(failed, account, log, dry_run)
    if any(failure.type in HELD_BY_INTERFACES for failure in failed):
        _delete_interfaces(suffix, account, log, dry_run)


def _switch_protection_off(stack: str, account: Account, log: Log, dry_run: bool) -> None:
    log(f"{'would switch' if dry_run else 'switching'} termination protection of {stack} off")
    if not dry_run:
        account.client("cloudformation").update_termination_protection(
            StackName=stack, EnableTerminationProtection=False
        )


def reject_shared_network(suffix: str, account: Account) -> None:
    """Raise `OperationsError` when other environments use the network of this one.

    CloudFormation would fail as well, but only after it has deleted everything else.
    """
    vpcs = [
        vpc["VpcId"] for vpc in account.pages("ec2", "describe_vpcs", "Vpcs", Filters=_tag_filters(suffix))
    ]
    if not vpcs:
        return
    inside = [{"Name": "vpc-id", "Values": vpcs}]
    found = account.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=inside)
    tags = [normalize_tags(group.get("Tags")) for group in found]
    owners = {one.get(ENVIRONMENT_TAG, suffix) for one in tags if one.get(PROJECT_TAG) == PROJECT}
    if others := sorted(owners - {suffix}):
        raise OperationsError(
            f"the network of {suffix} is shared by {', '.join(others)}: destroy those first"
        )


def _tag_filters(suffix: str) -> list[dict[str, Any]]:
    return [
        {"Name": f"tag:{PROJECT_TAG}", "Values": [PROJECT]},
        {"Name": f"tag:{ENVIRONMENT_TAG}", "Values": [suffix]},
    ]


def _empty_buckets(failed: list[Failure], account: Account, log: Log, dry_run: bool) -> None:
    """Empty the buckets: something may have written to one after the stack's function emptied it."""
    for failure in failed:
        if failure.type != "AWS::S3::Bucket":
            continue
        log(f"{'would empty' if dry_run else 'emptying'} S3 bucket {failure.name}")
        if dry_run:
            continue
        s3 = account.client("s3")
        for some in batches(list(_versions(failure.name, account)), OBJECTS_AT_ONCE):
            s3.delete_objects(Bucket=failure.name, Delete={"Objects": some, "Quiet": True})


def _versions(bucket: str, account: Account) -> Iterator[dict[str, Any]]:
    for kind in ("Versions", "DeleteMarkers"):
        for found in account.pages("s3", "list_object_versions", kind, Bucket=bucket):
            yield {"Key": found["Key"], "VersionId": found["VersionId"]}


def _delete_interfaces(suffix: str, account: Account, log: Log, dry_run: bool) -> None:
    """Delete the unused interfaces of the environment's security groups.

    Not all of the network: it may be shared with other environments.
    """
    found = account.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=_tag_filters(suffix))
    groups = [group["GroupId"] for group in found]
    if not groups:
        return
    free = [{"Name": "group-id", "Values": groups}, {"Name": "status", "Values": ["available"]}]
    for found in account.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=free):
        name = found["NetworkInterfaceId"]
        log(f"{'would delete' if dry_run else 'deleting'} network interface {name}")
        if not dry_run:
            account.client("ec2").delete_network_interface(NetworkInterfaceId=name)
