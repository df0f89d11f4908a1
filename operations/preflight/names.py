"""Checks of names: the stack, resources of a previous deployment, the bucket, Docker Hub's parameters."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from operations import leftovers
from operations.account import code_of
from operations.ownership import Resource
from operations.preflight.check import Check, Subject, failed, ok, warning

# AWS creates the names of these kinds, so they cannot collide; they may cost money.
UNNAMED = frozenset(
    {
        "VPC", "subnet", "security group", "route table", "network interface", "internet gateway",
        "NAT gateway", "Elastic IP address", "VPC endpoint", "flow log", "KMS key", "ECS task",
        "task definition",
    }
)  # fmt: skip
# The CDK CLI deletes a stack whose creation failed, and reuses one in review.
DEPLOYABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
RECREATED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"})
MOST_LISTED = 4


def stack(subject: Subject) -> Iterator[Check]:
    """Check whether `cdk deploy` can continue from the state of the stack."""
    status = subject.status
    if status is None:
        yield ok("stack", f"{subject.names.stack} is new")
    elif status in DEPLOYABLE:
        yield ok("stack", f"{subject.names.stack} exists ({status}): cdk deploy updates it")
    elif status in RECREATED:
        yield warning("stack", f"{subject.names.stack} is {status}", "nothing: cdk deploy recreates it")
    elif status.endswith("_IN_PROGRESS"):
        yield failed("stack", f"{subject.names.stack} is {status}", "wait until CloudFormation has finished")
    elif status == "UPDATE_ROLLBACK_FAILED":
        remedy = f"aws cloudformation continue-update-rollback --stack-name {subject.names.stack}"
        yield failed("stack", f"{subject.names.stack} is {status}", remedy)
    else:
        remedy = f"python -m operations destroy {subject.suffix}"
        yield failed("stack", f"{subject.names.stack} is {status}", remedy)


def names(subject: Subject) -> Iterator[Check]:
    """Find names of this environment that are taken although its stack does not exist (pitfall H2)."""
    status = subject.status
    if status is not None and status not in RECREATED:
        yield ok("names", "those of this environment")
        return
    yield from _bucket(subject)
    found = leftovers.find(subject.suffix, subject.account).remaining
    left = [resource for resource in found if not _is_expected(resource, subject)]
    if not left:
        yield ok("names", "free")
        return
    found_names = f"{len(left)} left over from a previous deployment: {_list(left)}"
    remedy = f"python -m operations destroy {subject.suffix}; operations leftovers lists them"
    if all(resource.kind in UNNAMED for resource in left):
        yield warning("names", found_names, remedy)
    else:
        yield failed("names", found_names, remedy)


def _is_expected(resource: Resource, subject: Subject) -> bool:
    # What people store may be there before the first deployment; the stack has a check of its own.
    if resource.name in (subject.names.docker_hub_password, subject.names.stack):
        return True
    is_variable = resource.name.startswith(subject.names.stored_variable(""))
    return resource.kind == "SSM parameter" and is_variable


def _list(left: list[Resource]) -> str:
    listed = ", ".join(f"{resource.kind} {resource.name}" for resource in left[:MOST_LISTED])
    return listed if len(left) <= MOST_LISTED else f"{listed} and {len(left) - MOST_LISTED} more"


def _bucket(subject: Subject) -> Iterator[Check]:
    """Check the bucket name, which is unique in all of AWS (pitfall L)."""
    account = subject.account
    name = subject.names.artifact_bucket(account.id, account.region)
    try:
        account.client("s3").head_bucket(Bucket=name)
    except ClientError as error:
        if code_of(error) == "403":
            yield failed("artifact bucket", f"{name} belongs to another account", "choose another suffix")
        elif code_of(error) not in ("404", "NoSuchBucket"):
            raise


def docker_hub(subject: Subject) -> Iterator[Check]:
    """Check Docker Hub's user name and its password, which the stack cannot create (pitfall F5)."""
    ssm = subject.account.client("ssm")
    user_name, password_name = subject.names.docker_hub_username, subject.names.docker_hub_password
    found = ssm.get_parameters(Names=[user_name, password_name])["Parameters"]
    by_name = {parameter["Name"]: parameter for parameter in found}
    password = by_name.get(password_name)
    username = by_name.get(user_name, {"Value": "anonymous"})["Value"]
    put = f'aws ssm put-parameter --name {password_name} --type SecureString --overwrite --value "$(cat)"'
    if password and password["Type"] != "SecureString":
        remedy = f"aws ssm delete-parameter --name {password_name}, then {put}"
        yield failed("Docker Hub", f"{password_name} is a {password['Type']}, not encrypted", remedy)
    elif username != "anonymous" and password is None:
        yield failed("Docker Hub", f"{username} has no password: every build would fail", put)
    elif username == "anonymous" and password:
        remedy = f"aws ssm put-parameter --name {user_name} --type String --overwrite --value USERNAME"
        yield warning("Docker Hub", "a password, but the user is anonymous, so it is not used", remedy)
    else:
        yield ok("Docker Hub", f"{username}{', with a password' if password else ''}")
