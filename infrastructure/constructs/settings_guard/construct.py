"""The custom resource that has the environment's settings, and its Lambda function (pitfall C11)."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import CustomResource, Duration
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.functions import create_function, module_code
from infrastructure.constructs.roles import allow, arn

FOLDER = Path(__file__).parent
# `operations immutable` finds the settings by this type.
TYPE = "Custom::SettingsGuard"


class SettingsGuard(Construct):
    """The optional settings of the environment. Everything else must depend on it, so that it fails first.

    Synthesis has no credentials, so only the deployment can compare with what is deployed.
    """

    def __init__(self, scope: Construct, id_: str, *, config: Config) -> None:
        super().__init__(scope, id_)
        names = config.names
        function = create_function(
            self,
            "settings-guard",
            names=names,
            description="Fails a deployment that would drop a setting of the environment",
            code=module_code(FOLDER),
            handler="handler.handler",
            timeout=Duration.minutes(1),
            role_description="What the settings guard does: see whether its stack rolls back",
            statements=[
                allow(
                    "SeeWhetherTheStackRollsBack",
                    ["cloudformation:DescribeStacks"],
                    [arn(self, "cloudformation", f"stack/{names.stack}/*")],
                ),
            ],
            memory_size=None,
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
