"""The app's own Lambda functions outside of the VPC, each with its log group and its role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infrastructure.constructs.log_groups import allow_log_writes, create_log_group
from infrastructure.constructs.roles import create_role
from infrastructure.naming import Names


def package_code(folder: Path, *modules: str) -> lambda_.Code:
    """Return these modules of the package `function` in a folder, and nothing that stands beside them.

    As a package, they import each other here and in Lambda alike; the handler is `function.handler.handler`.
    """
    kept = [f"!function/{name}.py" for name in modules]
    return lambda_.Code.from_asset(str(folder), exclude=["*", "!function", "function/*", *kept])


def module_code(folder: Path) -> lambda_.Code:
    """Return the one module `function/handler.py` in a folder; the handler is `handler.handler`."""
    return lambda_.Code.from_asset(str(folder / "function"), exclude=["**", "!handler.py"])


def create_function(
    scope: Construct,
    kind: str,
    *,
    names: Names,
    description: str,
    code: lambda_.Code,
    handler: str,
    timeout: Duration,
    role_description: str,
    statements: Sequence[iam.PolicyStatement],
    environment: Mapping[str, str] | None = None,
    memory_size: int | None = 256,
) -> lambda_.Function:
    """Create a function named after its `kind`, whose role has these statements and may write its log.

    It is in no VPC: a function in one becomes Inactive when it is idle, and the next invocation fails.
    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html (pitfall N7)
    """
    name = names.qualified(kind)
    # Not the one that Lambda would create: no stack deletes that (pitfalls H1, H2).
    log_group = create_log_group(scope, "Logs", name=f"/lambda/{name}")
    allowed = [*statements, allow_log_writes(log_group.log_group_arn)]
    return lambda_.Function(
        scope,
        "Function",
        function_name=name,
        description=description,
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.X86_64,
        handler=handler,
        code=code,
        timeout=timeout,
        memory_size=memory_size,
        role=_role(scope, names.qualified(f"{kind}-role"), role_description, allowed),
        log_group=log_group,
        environment=environment,
    )


def _role(
    scope: Construct, name: str, description: str, statements: Sequence[iam.PolicyStatement]
) -> iam.IRole:
    # Lambda sends no source for a condition when it assumes the role of a function.
    trusted = iam.ServicePrincipal("lambda.amazonaws.com")
    role = create_role(
        scope, "Role", name=name, assumed_by=trusted, description=description, statements=statements
    )
    return role.without_policy_updates()
