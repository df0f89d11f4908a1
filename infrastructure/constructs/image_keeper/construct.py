"""The Lambda function that keeps the images in use, its role, its log group and the rules that invoke it."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.constructs.event_log import deployments_pattern
from infrastructure.constructs.functions import create_function, module_code
from infrastructure.constructs.roles import allow, arn
from infrastructure.naming import Names

FOLDER = Path(__file__).parent


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
        self.function = create_function(
            self,
            "image-keeper",
            names=names,
            description="Keeps the images that run, and those that a rollback needs, from expiring",
            code=module_code(FOLDER),
            handler="handler.handler",
            timeout=Duration.minutes(2),
            role_description="What the image keeper does: read which images are in use, and tag them",
            statements=self._statements(images),
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
            event_pattern=deployments_pattern(names, "START", "SUCCESS", "FAILURE", "STOP"),
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

    def _statements(self, images: ecr.IRepository) -> list[iam.PolicyStatement]:
        names = self._names
        group = f"deploymentgroup:{names.application}/{names.deployment_group}"
        return [
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
        ]
