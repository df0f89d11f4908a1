"""What every task of the service uses, handed over as one value."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from infrastructure.constructs.roles import allow


@dataclass(frozen=True)
class TaskResources:
    """The image repository, the two roles and the log group of a task definition."""

    images: ecr.Repository
    task_role: iam.Role
    execution_role: iam.Role
    log_group: logs.LogGroup

    def pass_roles_statement(self) -> iam.PolicyStatement:
        """Allow a role to pass the two roles to ECS and its tasks."""
        return pass_roles_statement(self.task_role.role_arn, self.execution_role.role_arn)


def pass_roles_statement(task_role_arn: str, execution_role_arn: str) -> iam.PolicyStatement:
    """Allow a role to pass these two roles, and no other, to ECS and its tasks (pitfall D7)."""
    return allow(
        "PassTheTasksRoles",
        ["iam:PassRole"],
        [task_role_arn, execution_role_arn],
        {"StringEquals": {"iam:PassedToService": ["ecs.amazonaws.com", "ecs-tasks.amazonaws.com"]}},
    )
