"""The CodeBuild project that copies an image to the repository of the environment it is promoted to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.constructs.artifacts import BUILD_OUTPUT, COPY_OUTPUT, Artifacts
from infrastructure.constructs.image_repository import PULL, PUSH
from infrastructure.constructs.log_groups import allow_log_writes, create_log_group
from infrastructure.constructs.roles import allow, arn, create_role, service_principal
from infrastructure.naming import Names

PROGRAM = Path(__file__).with_name("copy_image.py")


class ImageCopy(Construct):
    """The project, its role and its log group; a run names the target in its variables."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        artifacts: Artifacts,
        images: ecr.IRepository,
        targets: Sequence[str],
    ) -> None:
        super().__init__(scope, id_)
        self._names = names
        log_group = create_log_group(self, "Logs", name=f"/codebuild/{names.promotion_project}")
        self.project = codebuild.PipelineProject(
            self,
            "Project",
            project_name=names.promotion_project,
            description="Copies an image, by its digest, to the environment that it is promoted to",
            role=self._role(artifacts, images, targets, log_group.log_group_arn).without_policy_updates(),
            build_spec=_build_spec(),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0, compute_type=codebuild.ComputeType.SMALL
            ),
            encryption_key=artifacts.key,
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)
            ),
            grant_report_group_permissions=False,
            timeout=Duration.minutes(15),
            queued_timeout=Duration.hours(1),
        )

    def _role(
        self, artifacts: Artifacts, images: ecr.IRepository, targets: Sequence[str], log_group: str
    ) -> iam.Role:
        return create_role(
            self,
            "Role",
            name=self._names.qualified("promotion-role"),
            assumed_by=service_principal(
                "codebuild", source_arn=arn(self, "codebuild", f"project/{self._names.promotion_project}")
            ),
            description="What a promotion does first: copy an image to the next environment",
            statements=[
                *artifacts.read_statements(BUILD_OUTPUT),
                *artifacts.write_statements(COPY_OUTPUT),
                allow_log_writes(log_group),
                allow("PullTheImage", PULL, [images.repository_arn]),
                allow("PushTheCopy", PUSH, targets),
            ],
        )


def _build_spec() -> codebuild.BuildSpec:
    command = f"python - <<'PROGRAM'\n{PROGRAM.read_text('utf-8')}PROGRAM\n"
    # The version that the other project needs too (pitfall F1).
    phases = {"install": {"runtime-versions": {"python": "3.9"}}, "build": {"commands": [command]}}
    return codebuild.BuildSpec.from_object(
        {"version": "0.2", "phases": phases, "artifacts": {"files": ["imageDetail.json"]}}
    )
