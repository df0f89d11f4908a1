"""Checks of the account: region, CDK bootstrap, service-linked role, CodeCommit, OIDC provider."""

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

from operations.account import REGION, Account, code_of
from operations.preflight.check import Check, Subject, failed, ok, warning

# As the rule CheckBootstrapVersion of the stack has it; a unit test compares.
BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = 6
ECS_ROLES = "/aws-service-role/ecs.amazonaws.com/"
GITHUB = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


def region(subject: Subject) -> Iterator[Check]:
    """Check the region: the stack is deployed to us-east-1, other commands use the default."""
    account = subject.account
    who = f"{account.identity['Arn']}, {account.region}"
    if account.region != REGION:
        yield failed("account", who, f"only {REGION} is supported: set AWS_REGION={REGION}")
        return
    default = boto3.session.Session().region_name
    if default not in (None, REGION):
        remedy = f"export AWS_REGION={REGION}, or the AWS CLI uses {default}"
        yield warning("account", f"{who}; your default is {default}", remedy)
        return
    yield ok("account", who)


def bootstrap(subject: Subject) -> Iterator[Check]:
    """Check the CDK bootstrap: its version, its bucket, its roles."""
    account = subject.account
    remedy = f"cdk bootstrap aws://{account.id}/{account.region} -c environmentSuffix={subject.suffix}"
    version = _parameter(account, BOOTSTRAP_PARAMETER)
    if version is None:
        yield failed("CDK bootstrap", "never bootstrapped", remedy)
        return
    if int(version) < BOOTSTRAP_VERSION:
        yield failed("CDK bootstrap", f"version {version}, older than {BOOTSTRAP_VERSION}", remedy)
        return
    where = f"{account.id}-{account.region}"
    missing = []
    if not _exists(account, "s3", "head_bucket", Bucket=f"cdk-hnb659fds-assets-{where}"):
        missing.append(f"bucket cdk-hnb659fds-assets-{where}")
    for role in ("cfn-exec", "deploy", "file-publishing"):
        if not _exists(account, "iam", "get_role", RoleName=f"cdk-hnb659fds-{role}-role-{where}"):
            missing.append(f"role cdk-hnb659fds-{role}-role-{where}")
    if missing:
        again = f"delete the stack CDKToolkit, then {remedy}"
        yield failed("CDK bootstrap", f"version {version}, but there is no {', no '.join(missing)}", again)
        return
    yield ok("CDK bootstrap", f"version {version}")


def service_role(subject: Subject) -> Iterator[Check]:
    """Check the service-linked role of ECS, which an account's first cluster needs (pitfall A1)."""
    if has_service_role(subject.account):
        yield ok("ECS service role", "exists")
        return
    remedy = "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com (or --fix)"
    yield failed("ECS service role", "missing: an account's first cluster fails without it", remedy)


def has_service_role(account: Account) -> bool:
    """Return whether the service-linked role of ECS exists."""
    return next(account.pages("iam", "list_roles", "Roles", PathPrefix=ECS_ROLES), None) is not None


def codecommit(subject: Subject) -> Iterator[Check]:
    """Call CodeCommit, which rejected new accounts from July 2024 to November 2025 (pitfall A3)."""
    try:
        found = list(subject.account.pages("codecommit", "list_repositories", "repositories"))
    except ClientError as error:
        if code_of(error) != "OperationNotAllowedException":
            raise
        remedy = "ask AWS Support to enable CodeCommit for this account; it is generally available"
        yield failed("CodeCommit", "rejects this account", remedy)
        return
    yield ok("CodeCommit", f"available, {len(found)} repositories")


def github(subject: Subject) -> Iterator[Check]:
    """Check GitHub's OIDC provider, of which an account can have one (pitfall M3)."""
    if subject.github is None:
        return
    arn = f"arn:aws:iam::{subject.account.id}:oidc-provider/{GITHUB}"
    providers = subject.account.pages("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList")
    exists = arn in {provider["Arn"] for provider in providers}
    if subject.github == "create":
        yield _to_create(exists)
    elif not exists:
        remedy = (
            f"aws iam create-open-id-connect-provider --url https://{GITHUB} --client-id-list {AUDIENCE},"
            " or deploy one environment with -c createGithubOidcProvider=true"
        )
        yield failed("GitHub's OIDC provider", "missing", remedy)
    else:
        yield _audience(subject.account, arn)


def _to_create(exists: bool) -> Check:
    if exists:
        remedy = "omit createGithubOidcProvider: the stack imports it"
        return failed("GitHub's OIDC provider", "exists already, and an account can have one", remedy)
    return ok("GitHub's OIDC provider", "does not exist: the stack can create it")


def _audience(account: Account, arn: str) -> Check:
    found = account.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    if AUDIENCE in found.get("ClientIDList", []):
        return ok("GitHub's OIDC provider", f"exists, for {AUDIENCE}")
    remedy = (
        f"aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn}"
        f" --client-id {AUDIENCE}"
    )
    return failed("GitHub's OIDC provider", f"lacks the audience {AUDIENCE}", remedy)


def _parameter(account: Account, name: str) -> str | None:
    try:
        return str(account.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if code_of(error) == "ParameterNotFound":
            return None
        raise


def _exists(account: Account, service: str, operation: str, **arguments: Any) -> bool:
    try:
        getattr(account.client(service), operation)(**arguments)
    except ClientError as error:
        # S3 responds to a HEAD request with only a status.
        if code_of(error) in ("404", "NoSuchBucket", "NoSuchEntity"):
            return False
        raise
    return True
