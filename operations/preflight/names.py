"""What this environment's names meet in the account: its own stack, an earlier life, a foreign bucket."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from operations import leftovers
from operations.account import code_of
from operations.ownership import Thing
from operations.preflight.check import Check, Subject, ok, stop, warning

# Where a name is AWS's own, a new environment does not collide with what is left; it may cost money.
UNNAMED = frozenset(
    {
        "VPC", "subnet", "security group", "route table", "network interface", "internet gateway",
        "NAT gateway", "Elastic IP address", "VPC endpoint", "KMS key", "ECS task", "task definition",
    }
)  # fmt: skip
# The CDK CLI itself deletes a stack whose creation failed, and takes over one that was only reviewed.
DEPLOYABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
STARTS_ANEW = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"})
MOST_NAMED = 4


def stack(subject: Subject) -> Iterator[Check]:
    """Say whether the environment is there already, and whether `cdk deploy` can go on from its state."""
    status = subject.status
    if status is None:
        yield ok("stack", f"{subject.stack} is new")
    elif status in DEPLOYABLE:
        yield ok("stack", f"{subject.stack} is there ({status}): cdk deploy updates it")
    elif status in STARTS_ANEW:
        yield warning("stack", f"{subject.stack} is {status}", "nothing: cdk deploy begins it anew")
    elif status.endswith("_IN_PROGRESS"):
        yield stop("stack", f"{subject.stack} is {status}", "wait until CloudFormation is done with it")
    elif status == "UPDATE_ROLLBACK_FAILED":
        remedy = f"aws cloudformation continue-update-rollback --stack-name {subject.stack}"
        yield stop("stack", f"{subject.stack} is {status}", remedy)
    else:
        remedy = f"python -m operations destroy {subject.suffix}"
        yield stop("stack", f"{subject.stack} is {status}", remedy)


def names(subject: Subject) -> Iterator[Check]:
    """Look for names of this environment that are taken although its stack is not there (pitfall H2)."""
    status = subject.status
    if status is not None and status not in STARTS_ANEW:
        yield ok("names", "this environment's own")
        return
    yield from _bucket(subject)
    found = leftovers.find(subject.suffix, subject.account).remaining
    left = [thing for thing in found if _counts(thing, subject)]
    if not left:
        yield ok("names", "free")
        return
    said = f"{len(left)} left of an earlier life: {_named(left)}"
    remedy = f"python -m operations destroy {subject.suffix}; operations leftovers lists them"
    if all(thing.kind in UNNAMED for thing in left):
        yield warning("names", said, remedy)
    else:
        yield stop("names", said, remedy)


def _counts(thing: Thing, subject: Subject) -> bool:
    # A person may well put the password first, and the stack itself is another check's.
    return thing.name not in (f"/docker-hub-{subject.suffix}/password", subject.stack)


def _named(left: list[Thing]) -> str:
    told = ", ".join(f"{thing.kind} {thing.name}" for thing in left[:MOST_NAMED])
    return told if len(left) <= MOST_NAMED else f"{told} and {len(left) - MOST_NAMED} more"


def _bucket(subject: Subject) -> Iterator[Check]:
    """A bucket's name is taken for all of AWS, so another account may have it (pitfall L)."""
    account = subject.account
    name = f"artifacts-{subject.suffix}-{account.id}-{account.region}"
    try:
        account.client("s3").head_bucket(Bucket=name)
    except ClientError as error:
        if code_of(error) == "403":
            yield stop("artifact bucket", f"{name} is another account's", "take another environmentSuffix")
        elif code_of(error) not in ("404", "NoSuchBucket"):
            raise


def docker_hub(subject: Subject) -> Iterator[Check]:
    """Compare Docker Hub's user name with the password that only a person can put (pitfall F5)."""
    ssm = subject.account.client("ssm")
    name = f"/docker-hub-{subject.suffix}"
    found = ssm.get_parameters(Names=[f"{name}/username", f"{name}/password"])["Parameters"]
    by_name = {parameter["Name"]: parameter for parameter in found}
    password = by_name.get(f"{name}/password")
    username = by_name.get(f"{name}/username", {"Value": "anonymous"})["Value"]
    put = f'aws ssm put-parameter --name {name}/password --type SecureString --overwrite --value "$(cat)"'
    if password and password["Type"] != "SecureString":
        remedy = f"aws ssm delete-parameter --name {name}/password, then {put}"
        yield stop("Docker Hub", f"{name}/password is a {password['Type']}: everybody can read it", remedy)
    elif username != "anonymous" and password is None:
        yield stop("Docker Hub", f"{username} has no password: every build fails", put)
    elif username == "anonymous" and password:
        remedy = f"aws ssm put-parameter --name {name}/username --type String --overwrite --value USERNAME"
        yield warning("Docker Hub", "a password, but the user is anonymous: nobody signs in", remedy)
    else:
        yield ok("Docker Hub", f"{username}{', with a password' if password else ''}")
