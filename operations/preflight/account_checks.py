"""What every account needs once: region, the CDK's bootstrap, ECS's role, CodeCommit, GitHub's provider."""

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

from operations.account import REGION, Account, code_of
from operations.preflight.check import Check, Subject, ok, stop, warning

# The stack says so itself, in its rule CheckBootstrapVersion; a unit test compares.
BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = 6
ECS_ROLES = "/aws-service-role/ecs.amazonaws.com/"
GITHUB = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


def region(subject: Subject) -> Iterator[Check]:
    """Say who calls and where: the stack goes to us-east-1 whatever a profile says, other commands do not."""
    account = subject.account
    who = f"{account.identity['Arn']}, {account.region}"
    if account.region != REGION:
        yield stop("account", who, f"the road lives in {REGION} only: set AWS_REGION={REGION}")
        return
    theirs = boto3.session.Session().region_name
    if theirs not in (None, REGION):
        remedy = f"export AWS_REGION={REGION}, or the AWS CLI looks in {theirs}"
        yield warning("account", f"{who}; your default is {theirs}", remedy)
        return
    yield ok("account", who)


def bootstrap(subject: Subject) -> Iterator[Check]:
    """Look for the CDK's bootstrap: the version it notes, the bucket it fills, the role it deploys with."""
    account = subject.account
    remedy = f"cdk bootstrap aws://{account.id}/{account.region} -c environmentSuffix={subject.suffix}"
    version = _parameter(account, BOOTSTRAP_PARAMETER)
    if version is None:
        yield stop("CDK bootstrap", "never bootstrapped", remedy)
        return
    if int(version) < BOOTSTRAP_VERSION:
        yield stop("CDK bootstrap", f"version {version}, older than {BOOTSTRAP_VERSION}", remedy)
        return
    where = f"{account.id}-{account.region}"
    missing = []
    if not _there(account, "s3", "head_bucket", Bucket=f"cdk-hnb659fds-assets-{where}"):
        missing.append(f"bucket cdk-hnb659fds-assets-{where}")
    for role in ("cfn-exec", "deploy", "file-publishing"):
        if not _there(account, "iam", "get_role", RoleName=f"cdk-hnb659fds-{role}-role-{where}"):
            missing.append(f"role cdk-hnb659fds-{role}-role-{where}")
    if missing:
        again = f"delete the stack CDKToolkit, then {remedy}"
        yield stop("CDK bootstrap", f"version {version}, but there is no {', no '.join(missing)}", again)
        return
    yield ok("CDK bootstrap", f"version {version}")


def service_role(subject: Subject) -> Iterator[Check]:
    """Look for ECS's service-linked role: without it, an account's first cluster fails (pitfall A1)."""
    if has_service_role(subject.account):
        yield ok("ECS service role", "there")
        return
    remedy = "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com (or --fix)"
    yield stop("ECS service role", "missing: an account's first cluster fails without it", remedy)


def has_service_role(account: Account) -> bool:
    """Say whether ECS's service-linked role is there."""
    return next(account.pages("iam", "list_roles", "Roles", PathPrefix=ECS_ROLES), None) is not None


def codecommit(subject: Subject) -> Iterator[Check]:
    """Ask CodeCommit; new accounts were refused from July 2024 to November 2025 (pitfall A3)."""
    try:
        found = list(subject.account.pages("codecommit", "list_repositories", "repositories"))
    except ClientError as error:
        if code_of(error) != "OperationNotAllowedException":
            raise
        remedy = "ask AWS Support to let this account use CodeCommit: it is open to all since November 2025"
        yield stop("CodeCommit", "refuses this account", remedy)
        return
    yield ok("CodeCommit", f"answers, {len(found)} repositories")


def github(subject: Subject) -> Iterator[Check]:
    """Look for GitHub's OIDC provider, of which an account can have one (pitfall M3)."""
    if subject.github is None:
        return
    arn = f"arn:aws:iam::{subject.account.id}:oidc-provider/{GITHUB}"
    providers = subject.account.pages("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList")
    there = arn in {provider["Arn"] for provider in providers}
    if subject.github == "create":
        yield _to_create(there)
    elif not there:
        remedy = (
            f"aws iam create-open-id-connect-provider --url https://{GITHUB} --client-id-list {AUDIENCE},"
            " or deploy one environment with -c createGithubOidcProvider=true"
        )
        yield stop("GitHub's OIDC provider", "missing", remedy)
    else:
        yield _audience(subject.account, arn)


def _to_create(there: bool) -> Check:
    if there:
        remedy = "leave createGithubOidcProvider out: it is imported"
        return stop("GitHub's OIDC provider", "there already, and an account has one", remedy)
    return ok("GitHub's OIDC provider", "not there: the stack can create it")


def _audience(account: Account, arn: str) -> Check:
    found = account.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    if AUDIENCE in found.get("ClientIDList", []):
        return ok("GitHub's OIDC provider", f"there, for {AUDIENCE}")
    remedy = (
        f"aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn}"
        f" --client-id {AUDIENCE}"
    )
    return stop("GitHub's OIDC provider", f"does not admit {AUDIENCE}", remedy)


def _parameter(account: Account, name: str) -> str | None:
    try:
        return str(account.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if code_of(error) == "ParameterNotFound":
            return None
        raise


def _there(account: Account, service: str, operation: str, **arguments: Any) -> bool:
    try:
        getattr(account.client(service), operation)(**arguments)
    except ClientError as error:
        # S3 answers a HEAD with a status alone.
        if code_of(error) in ("404", "NoSuchBucket", "NoSuchEntity"):
            return False
        raise
    return True
