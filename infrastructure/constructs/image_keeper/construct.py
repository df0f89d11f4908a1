"""The Lambda function that keeps the images in use, its role, its log group and the rules that invoke it."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.constructs.event_log import DEPLOYMENT_EVENT
from infrastructure.constructs.log_groups import allow_log_writes, create_log_group
from infrastructure.constructs.roles import allow, arn, create_role
from infrastructure.naming import Names

CODE = Path(__file__).with_name("function")


class ImageKeeper(Construct):
    """The function that tags the images in use, after each change of a deployment and once a day.

    An image is tagged when its deployment starts, before it receives traffic, and loses its tag when the
    second deployment after it has succeeded. EventBridge invokes the function asynchronously, so Lambda tries
    again twice after an error; then the next event or the next day does.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, images: ecr.IRepository) -> None:
        super().__init__(scope, id_)
        self._names = names
        # Not the one that Lambda would create: no stack deletes that (pitfalls H1, H2).
        log_group = create_log_group(self, "Logs", name=f"/lambda/{names.image_keeper}")
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=names.image_keeper,
            description="Keeps the images that run, and those that a rollback needs, from expiring",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.X86_64,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(CODE), exclude=["**", "!handler.py"]),
            timeout=Duration.minutes(2),
            memory_size=256,
            role=self._role(images, log_group).without_policy_updates(),
            log_group=log_group,
            environment={
                "CLUSTER": names.cluster,
                "SERVICE": names.service,
                "APPLICATION": names.application,
                "DEPLOYMENT_GROUP": names.deployment_group,
                "IMAGE_REPOSITORY_URI": images.repository_uri,
            },
        )
        self._invoke_on_deployments()
        self._invoke_daily()

    def _invoke_on_deployments(self) -> None:
        names = self._names
        rule = events.Rule(
            self,
            "Deployments",
            rule_name=names.qualified("image-keeper-deployments"),
            description="Tags the images in use after each change of a deployment",
            event_pattern=events.EventPattern(
                source=["aws.codedeploy"],
                detail_type=[DEPLOYMENT_EVENT],
                detail={
                    "application": [names.application],
                    "deploymentGroup": [names.deployment_group],
                    "state": ["START", "SUCCESS", "FAILURE", "STOP"],
                },
            ),
        )
        rule.add_target(targets.LambdaFunction(self.function))

    def _invoke_daily(self) -> None:
        rule = events.Rule(
            self,
            "Daily",
            rule_name=self._names.qualified("image-keeper-daily"),
            description="Tags the images in use once a day, in case that an event was lost",
            schedule=events.Schedule.rate(Duration.days(1)),
        )
        rule.add_target(targets.LambdaFunction(self.function))

    def _role(self, images: ecr.IRepository, log_group: logs.ILogGroup) -> iam.Role:
        names = self._names
        group = f"deploymentgroup:{names.application}/{names.deployment_group}"
        return create_role(
            self,
            "Role",
            name=names.qualified("image-keeper-role"),
            # Lambda sends no source for a condition when it assumes the role of a function.
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="What the image keeper does: read which images are in use, and tag them",
            statements=[
                allow(
                    "ReadTheTaskSets",
                    ["ecs:DescribeServices"],
                    [arn(self, "ecs", f"service/{names.cluster}/{names.service}")],
                ),
                # This action supports no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
                allow("ReadTheirImages", ["ecs:DescribeTaskDefinition"], ["*"]),
                allow(
                    "ReadTheDeployments",
                    ["codedeploy:GetDeployment", "codedeploy:GetDeploymentGroup"],
                    [arn(self, "codedeploy", group)],
                ),
                allow(
                    "ReadTheRevisions",
                    ["codedeploy:GetApplicationRevision"],
                    [arn(self, "codedeploy", f"application:{names.application}")],
                ),
                allow(
                    "TagTheImages",
                    ["ecr:BatchDeleteImage", "ecr:BatchGetImage", "ecr:ListImages", "ecr:PutImage"],
                    [images.repository_arn],
                ),
                allow_log_writes(log_group.log_group_arn),
            ],
        )
