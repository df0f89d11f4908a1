"""The limits of an account that grow with environments: how many further ones fit (pitfall A5)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.preflight.check import Check, Room, Subject, failed, ok


@dataclass(frozen=True)
class Limit:
    """A limit of CloudFormation's `types`, of which an environment has at most `needed`.

    `default` is AWS's value; Service Quotas knows that of the account by `service` and `code`.
    """

    name: str
    types: tuple[str, ...]
    needed: int
    default: int
    service: str
    code: str
    used: Callable[[Account], int]


@dataclass(frozen=True)
class FarLimit:
    """A limit that leaves room for `MANY` environments: it is not counted in the account."""

    needed: int
    default: int
    page: str


# Other limits of an account are reached long before these many environments.
MANY = 350


def count(service: str, operation: str, key: str) -> Callable[[Account], int]:
    """Return a function that counts the items of an account."""
    return lambda account: sum(1 for _ in account.pages(service, operation, key))


def _roles(account: Account) -> int:
    return int(account.client("iam").get_account_summary()["SummaryMap"]["Roles"])


# A unit test compares `needed` and the types with the templates: change them here, and nowhere else.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LIMITS = (
    Limit(
        "EventBridge rules",
        ("AWS::Events::Rule",),
        needed=21,
        default=300,
        service="events",
        code="L-244521F2",
        used=count("events", "list_rules", "Rules"),
    ),
    Limit(
        "IAM roles",
        ("AWS::IAM::Role",),
        needed=30,
        default=1000,
        service="iam",
        code="L-FE177D64",
        used=_roles,
    ),
    Limit(
        "CloudFormation stacks",
        ("AWS::CloudFormation::Stack",),
        needed=5,
        default=2000,
        service="cloudformation",
        code="L-0485CB21",
        used=count("cloudformation", "describe_stacks", "Stacks"),
    ),
)
_QUOTAS = "https://docs.aws.amazon.com/general/latest/gr"
FAR_LIMITS = {
    "AWS::ApplicationAutoScaling::ScalableTarget": FarLimit(
        1,
        3000,
        "https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html",
    ),
    "AWS::CloudWatch::Alarm": FarLimit(13, 5000, f"{_QUOTAS}/cw_region.html"),
    "AWS::CodeBuild::Project": FarLimit(3, 5000, f"{_QUOTAS}/codebuild.html"),
    "AWS::CodeBuild::ReportGroup": FarLimit(1, 5000, f"{_QUOTAS}/codebuild.html"),
    "AWS::CodeCommit::Repository": FarLimit(1, 5000, f"{_QUOTAS}/codecommit.html"),
    "AWS::CodeDeploy::Application": FarLimit(1, 1000, f"{_QUOTAS}/codedeploy.html"),
    "AWS::CodePipeline::Pipeline": FarLimit(1, 1000, f"{_QUOTAS}/codepipeline.html"),
    "AWS::EC2::SecurityGroup": FarLimit(3, 2500, f"{_QUOTAS}/vpc-service.html"),
    "AWS::ECR::Repository": FarLimit(1, 100_000, f"{_QUOTAS}/ecr.html"),
    "AWS::ECS::Cluster": FarLimit(1, 10_000, f"{_QUOTAS}/ecs-service.html"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": FarLimit(2, 3000, f"{_QUOTAS}/elb.html"),
    "AWS::KMS::Key": FarLimit(3, 100_000, f"{_QUOTAS}/kms.html"),
    "AWS::Logs::LogGroup": FarLimit(17, 1_000_000, f"{_QUOTAS}/cwl_region.html"),
    "AWS::S3::Bucket": FarLimit(2, 10_000, f"{_QUOTAS}/s3.html"),
    "AWS::SNS::Topic": FarLimit(1, 100_000, f"{_QUOTAS}/sns.html"),
    "AWS::SSM::Parameter": FarLimit(3, 10_000, f"{_QUOTAS}/ssm.html"),
}


def limits(subject: Subject, rooms: Sequence[Room]) -> Iterator[Check]:
    """Report each limit that this environment exceeds, and in one line how many further ones fit.

    `rooms` are those of the quotas that were checked before.
    """
    found = [*rooms]
    for limit in LIMITS:
        room = _room(subject, limit)
        found.append(room)
        if not room.fits:
            yield failed(limit.name, room.found, raise_command(subject, limit.service, limit.code, room))
    first = min(found, key=lambda room: room.further)
    many = f"{first.further} further environment{'s' if first.further != 1 else ''}"
    yield ok(
        "limits of the account",
        f"room for {many}, first reached: {first.limit} ({first.found})",
        details=tuple(found),
    )


def _room(subject: Subject, limit: Limit) -> Room:
    """Compare with AWS's default, and with the account's own value only if the default is too low."""
    used = limit.used(subject.account)
    needed = 0 if subject.status is not None else limit.needed
    room = Room.of(limit.name, limit.default, used, needed, each=limit.needed)
    if room.fits:
        return room
    allowed = allowed_in(subject.account, limit.service, limit.code)
    return Room.of(limit.name, allowed, used, needed, each=limit.needed)


def allowed_in(account: Account, service: str, code: str) -> int:
    """Return the account's value of a quota."""
    client = account.client("service-quotas")
    which = {"ServiceCode": service, "QuotaCode": code}
    try:
        found = client.get_service_quota(**which)
    except ClientError as error:
        # An account that never requested an increase may have no value of its own.
        if code_of(error) != "NoSuchResourceException":
            raise
        found = client.get_aws_default_service_quota(**which)
    return int(found["Quota"]["Value"])


def raise_command(subject: Subject, service: str, code: str, room: Room) -> str:
    """Return the command that requests the value that an environment needs."""
    return (
        f"aws service-quotas request-service-quota-increase --region {subject.account.region}"
        f" --service-code {service} --quota-code {code} --desired-value {room.used + room.needed}"
    )
