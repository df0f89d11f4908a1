"""The custom resource that has the environment's settings, and its Lambda function (pitfall C11)."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.log_groups import allow_log_writes, create_log_group
from infrastructure.constructs.roles import allow, arn, create_role
from infrastructure.naming import Names

CODE = Path(__file__).with_name("function")
# `operations immutable` finds the settings by this type.
TYPE = "Custom::SettingsGuard"


class SettingsGuard(Construct):
    """The optional settings of the environment. Everything else must depend on it, so that it fails first.

    Synthesis has no credentials, so only the deployment can compare with what is deployed.
    """

    def __init__(self, scope: Construct, id_: str, *, config: Config) -> None:
        super().__init__(scope, id_)
        names = config.names
        # Not the one that Lambda would create: no stack deletes that (pitfalls H1, H2).
        log_group = create_log_group(self, "Logs", name=f"/lambda/{names.settings_guard}")
        # In no VPC: after idle weeks, an invocation would fail until Lambda has restored its interfaces.
        # https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
        function = lambda_.Function(
            self,
            "Function",
            function_name=names.settings_guard,
            description="Fails a deployment that would drop a setting of the environment",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.X86_64,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(CODE), exclude=["**", "!handler.py"]),
            timeout=Duration.minutes(1),
            role=self._role(names, log_group).without_policy_updates(),
            log_group=log_group,
        )
        self.resource = CustomResource(
            self,
            "Settings",
            resource_type=TYPE,
            service_token=function.function_arn,
            # The default is an hour. Lambda retries an asynchronous invocation after one minute, then two:
            # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
            service_timeout=Duration.minutes(10),
            properties={"Settings": config.optional_settings, "DropSettings": list(config.drop_settings)},
        )

    def _role(self, names: Names, log_group: logs.ILogGroup) -> iam.Role:
        return create_role(
            self,
            "Role",
            name=names.qualified("settings-guard-role"),
            # Lambda sends no source for a condition when it assumes the role of a function.
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="What the settings guard does: see whether its stack rolls back",
            statements=[
                allow(
                    "SeeWhetherTheStackRollsBack",
                    ["cloudformation:DescribeStacks"],
                    [arn(self, "cloudformation", f"stack/{names.stack}/*")],
                ),
                allow_log_writes(log_group.log_group_arn),
            ],
        )
