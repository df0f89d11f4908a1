"""What keeps CloudFormation from deleting a stack: protection, and what a failed deletion stumbled over."""

from collections.abc import Callable, Iterator
from typing import Any

from operations.account import Account, batches
from operations.errors import OperationsError
from operations.ownership import ENVIRONMENT_TAG, PROJECT, PROJECT_TAG, flat
from operations.root_stack import Failure, failures, root_stack

Say = Callable[[str], None]

# An interface that nobody holds keeps these from going, as one of a Lambda function does (pitfall I5).
HELD_BY_INTERFACES = frozenset({"AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::EC2::VPC"})
# DeleteObjects takes a thousand.
OBJECTS_AT_ONCE = 1000


def clear(suffix: str, account: Account, say: Say, *, dry_run: bool = False) -> None:
    """Clear away what made the last deletion fail, so that the next can succeed (pitfalls H7, I4, I5).

    Raises `OperationsError` when the stack is protected from deletion.
    """
    stack = root_stack(suffix, account)
    if stack is None:
        return
    if stack.get("EnableTerminationProtection"):
        raise OperationsError(
            f"stack-{suffix} is protected from deletion; if it is to go: aws cloudformation "
            f"update-termination-protection --no-enable-termination-protection --stack-name stack-{suffix}"
        )
    if stack["StackStatus"] != "DELETE_FAILED":
        return
    failed = failures(stack["StackId"], account)
    for failure in failed:
        say(f"could not be deleted last time: {failure}")
    _empty_buckets(failed, account, say, dry_run)
    if any(failure.type in HELD_BY_INTERFACES for failure in failed):
        _delete_interfaces(suffix, account, say, dry_run)


def refuse_shared(suffix: str, account: Account) -> None:
    """Raise `OperationsError` when other environments stand in this one's network.

    CloudFormation would refuse as well, but at the end, when all else of this one is gone.
    """
    vpcs = [vpc["VpcId"] for vpc in account.pages("ec2", "describe_vpcs", "Vpcs", Filters=_ours(suffix))]
    if not vpcs:
        return
    inside = [{"Name": "vpc-id", "Values": vpcs}]
    found = account.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=inside)
    tags = [flat(group.get("Tags")) for group in found]
    owners = {one.get(ENVIRONMENT_TAG, suffix) for one in tags if one.get(PROJECT_TAG) == PROJECT}
    if others := sorted(owners - {suffix}):
        raise OperationsError(
            f"the network of {suffix} is shared by {', '.join(others)}: destroy those first"
        )


def _ours(suffix: str) -> list[dict[str, Any]]:
    return [
        {"Name": f"tag:{PROJECT_TAG}", "Values": [PROJECT]},
        {"Name": f"tag:{ENVIRONMENT_TAG}", "Values": [suffix]},
    ]


def _empty_buckets(failed: list[Failure], account: Account, say: Say, dry_run: bool) -> None:
    """Empty the buckets: the Lambda function that did so may be gone when something writes once more."""
    for failure in failed:
        if failure.type != "AWS::S3::Bucket":
            continue
        say(f"{'would empty' if dry_run else 'emptying'} S3 bucket {failure.name}")
        if dry_run:
            continue
        s3 = account.client("s3")
        for some in batches(list(_versions(failure.name, account)), OBJECTS_AT_ONCE):
            s3.delete_objects(Bucket=failure.name, Delete={"Objects": some, "Quiet": True})


def _versions(bucket: str, account: Account) -> Iterator[dict[str, Any]]:
    for kind in ("Versions", "DeleteMarkers"):
        for found in account.pages("s3", "list_object_versions", kind, Bucket=bucket):
            yield {"Key": found["Key"], "VersionId": found["VersionId"]}


def _delete_interfaces(suffix: str, account: Account, say: Say, dry_run: bool) -> None:
    """Delete the interfaces of our own security groups that nobody holds any more.

    Not those in our network: it may be another's, or others may share it.
    """
    found = account.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=_ours(suffix))
    groups = [group["GroupId"] for group in found]
    if not groups:
        return
    free = [{"Name": "group-id", "Values": groups}, {"Name": "status", "Values": ["available"]}]
    for found in account.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=free):
        name = found["NetworkInterfaceId"]
        say(f"{'would delete' if dry_run else 'deleting'} network interface {name}")
        if not dry_run:
            account.client("ec2").delete_network_interface(NetworkInterfaceId=name)
