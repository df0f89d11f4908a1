"""Roles with least privilege: complete when created, and closed to the grants of the CDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

# https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
OWN_ACCOUNT = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}


def create_role(
    scope: Construct,
    id_: str,
    *,
    name: str,
    assumed_by: iam.IPrincipal,
    description: str,
    statements: Sequence[iam.PolicyStatement] = (),
) -> iam.Role:
    """Create a role with an inline policy.

    A resource that refers to the role therefore waits for its policy too (pitfall B6). Pass the role on as
    `role.without_policy_updates()`: the CDK's own grants are wider (pitfalls D7, D8).
    """
    policies = {"policy": iam.PolicyDocument(statements=list(statements))} if statements else None
    role = iam.Role(
        scope,
        id_,
        role_name=name,
        assumed_by=assumed_by,
        description=description,
        inline_policies=policies,
    )
    role.apply_removal_policy(RemovalPolicy.DESTROY)
    return role


def service_principal(service: str, *, source_arn: str | None = None) -> iam.ServicePrincipal:
    """Trust an AWS service that acts for this account, and for `source_arn` if given.

    A condition on what the service does not send locks the service out, so each caller names the page of AWS
    that documents it (pitfall D10).
    """
    conditions: dict[str, Mapping[str, str]] = dict(OWN_ACCOUNT)
    if source_arn:
        conditions["ArnLike"] = {"aws:SourceArn": source_arn}
    return iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=conditions)


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, object] | None = None,
) -> iam.PolicyStatement:
    """Allow exactly these actions on these resources.

    `sid` says in CamelCase which step needs the statement; it is unique in its policy.
    """
    return iam.PolicyStatement(
        sid=sid, actions=list(actions), resources=list(resources), conditions=conditions
    )


def allow_cross_account(
    sid: str, actions: Sequence[str], role_arns: Sequence[str], resources: Sequence[str] = ()
) -> iam.PolicyStatement:
    """Allow exactly these roles of other accounts, in a resource policy.

    AWS refuses a policy that names a role before it exists, so the principal is the account and the role a
    condition (pitfall M2). ECR's policies have no `resources`.
    """
    return iam.PolicyStatement(
        sid=sid,
        actions=list(actions),
        resources=list(resources) or None,
        principals=[
            iam.AccountPrincipal(account) for account in sorted({_account(each) for each in role_arns})
        ],
        conditions={"ArnEquals": {"aws:PrincipalArn": sorted(role_arns)}},
    )


def trusted_roles(arns: Sequence[str]) -> iam.CompositePrincipal:
    """Trust exactly these roles or users: by account, because they may not exist yet (pitfall M2)."""
    return iam.CompositePrincipal(
        *[
            iam.AccountPrincipal(_account(each)).with_conditions({"ArnEquals": {"aws:PrincipalArn": each}})
            for each in arns
        ]
    )


def _account(role_arn: str) -> str:
    return role_arn.split(":")[4]


def arn(
    scope: Construct, service: str, resource: str, *, region: bool = True, account: str | None = None
) -> str:
    """Build the ARN of a resource from its name, in this account unless another is given.

    A policy with such an ARN makes no nested stack depend on another (pitfall K1).
    """
    stack = Stack.of(scope)
    owner = account or stack.account
    return f"arn:{stack.partition}:{service}:{stack.region if region else ''}:{owner}:{resource}"
