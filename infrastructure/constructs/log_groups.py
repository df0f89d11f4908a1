"""Log groups that belong to their stack and keep 30 days."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.constructs.roles import allow


def create_log_group(scope: Construct, id_: str, *, name: str) -> logs.LogGroup:
    """Create a log group that keeps 30 days and is deleted with its stack."""
    return logs.LogGroup(
        scope,
        id_,
        log_group_name=name,
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=RemovalPolicy.DESTROY,
    )


def allow_log_writes(log_group_arn: str) -> iam.PolicyStatement:
    """Allow writing to a group that exists.

    No CreateLogGroup: a late write must not recreate a deleted group (pitfall H2).
    """
    return allow("WriteTheLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group_arn])
