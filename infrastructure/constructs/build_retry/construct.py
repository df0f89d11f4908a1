"""The function that retries the stage Build after a fault of AWS: its role, log group and rule."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.constructs.event_log import STAGE_EVENT
from infrastructure.constructs.functions import create_function, module_code
from infrastructure.constructs.notifications import Notifications
from infrastructure.constructs.roles import allow, arn
from infrastructure.naming import Names

FOLDER = Path(__file__).parent
STAGE = "Build"


class BuildRetry(Construct):
    """The function that EventBridge invokes when the stage Build has failed.

    CodePipeline's own retry of a stage takes no cause, so it would repeat a red test, too
    (docs/decisions/10-retries.md).
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        projects: Sequence[codebuild.IProject],
        notifications: Notifications,
    ) -> None:
        super().__init__(scope, id_)
        function = create_function(
            self,
            "build-retry",
            names=names,
            description="Retries the stage Build once if AWS failed it, and not the commit",
            code=module_code(FOLDER),
            handler="handler.handler",
            timeout=Duration.minutes(1),
            role_description="What retries Build: read why a build failed, retry the stage, tell the topic",
            statements=[*self._statements(names, projects), *notifications.publish_statements()],
            environment={"PIPELINE": names.pipeline, "TOPIC": notifications.topic.topic_arn},
        )
        events.Rule(
            self,
            "BuildFailed",
            rule_name=names.qualified("build-retry-failures"),
            description="Looks whether AWS failed the stage Build",
            event_pattern=events.EventPattern(
                source=["aws.codepipeline"],
                detail_type=[STAGE_EVENT],
                detail={"pipeline": [names.pipeline], "stage": [STAGE], "state": ["FAILED"]},
            ),
            targets=[targets.LambdaFunction(function)],
        )

    def _statements(self, names: Names, projects: Sequence[codebuild.IProject]) -> list[iam.PolicyStatement]:
        pipeline = arn(self, "codepipeline", names.pipeline)
        return [
            allow("FindTheBuilds", ["codepipeline:ListActionExecutions"], [pipeline]),
            allow(
                "ReadWhyTheyFailed",
                ["codebuild:BatchGetBuilds"],
                [project.project_arn for project in projects],
            ),
            allow("RetryTheStage", ["codepipeline:RetryStageExecution"], [f"{pipeline}/{STAGE}"]),
        ]
