"""Promotion to further environments: an approval, a copy of the image, and a deployment of that digest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from infrastructure.config.account_options import PeerEnvironment, Promotion
from infrastructure.config.settings import Config
from infrastructure.constructs.artifacts import COPY_OUTPUT
from infrastructure.constructs.roles import allow, arn
from infrastructure.constructs.stored_variables import stored_variables
from infrastructure.naming import CODE_CONSOLE, REGION, Names

APPROVE, COPY, DEPLOY = 1, 2, 3


def role_arns(scope: Construct, peers: Sequence[PeerEnvironment], role: str) -> list[str]:
    """Return the ARNs of the role of type `role` in each of these environments."""
    named = [(each.account, Names(each.environment).qualified(role)) for each in peers]
    return [arn(scope, "iam", f"role/{name}", region=False, account=account) for account, name in named]


def target_repositories(scope: Construct, config: Config) -> list[str]:
    """Return the ARNs of the repositories that images are copied to."""
    return [
        arn(scope, "ecr", f"repository/{Names(each.environment).image_repository}", account=each.account)
        for each in config.promote_to
    ]


def release_role(scope: Construct, promotion: Promotion) -> str:
    """Return the ARN of the role that the pipeline assumes to release to an environment."""
    name = Names(promotion.environment).cross_account_role
    return arn(scope, "iam", f"role/{name}", region=False, account=promotion.account)


def build_variable(scope: Construct, config: Config) -> str:
    """Return the JSON from which the build fills the files of each environment.

    The image is not part of it: every environment runs a copy with the same digest.
    """
    return json.dumps(
        {
            each.environment: _task_variables(scope, each)
            | stored_variables(config.service, Names(each.environment))
            for each in config.promote_to
        },
        separators=(",", ":"),
    )


def _task_variables(scope: Construct, promotion: Promotion) -> dict[str, str]:
    names = Names(promotion.environment)

    def role(name: str) -> str:
        return arn(scope, "iam", f"role/{names.qualified(name)}", region=False, account=promotion.account)

    return {
        "TASK_FAMILY": names.task_family,
        "TASK_ROLE_ARN": role("task-role"),
        "EXECUTION_ROLE_ARN": role("execution-role"),
        "TASK_LOG_GROUP": names.task_log_group,
        "TASK_CPU": str(promotion.task_cpu),
        "TASK_MEMORY": str(promotion.task_memory),
        "TEST_TRAFFIC_HOOK": names.traffic_hook,
    }


def approval_statements(topic: sns.ITopic) -> list[iam.PolicyStatement]:
    """Allow an approval action to publish its request to an encrypted topic."""
    key = [topic.master_key.key_arn] if topic.master_key else []
    return [
        allow("AskForApproval", ["sns:Publish"], [topic.topic_arn]),
        *[allow("EncryptTheRequest", ["kms:GenerateDataKey", "kms:Decrypt"], [each]) for each in key],
    ]


@dataclass(frozen=True, kw_only=True)
class PromotionStages:
    """A stage for each environment: a person approves, the image is copied, and CodeDeploy releases it.

    A stage of its own, because an execution that waits for an approval occupies its stage: in Deploy it would
    keep later commits from the pipeline's own environment (pitfall M6).
    """

    commit: str
    image: str
    repository: str
    built: codepipeline.Artifact
    placeholder: str
    project: codebuild.IProject
    topic: sns.ITopic
    approval_role: iam.IRole
    copy_role: iam.IRole

    def of(self, scope: Construct, promotions: Sequence[Promotion]) -> list[codepipeline.StageProps]:
        """Return the stages, in the order of the promotions."""
        return [self._stage(scope, promotion) for promotion in promotions]

    def _stage(self, scope: Construct, promotion: Promotion) -> codepipeline.StageProps:
        environment = promotion.environment
        copied = codepipeline.Artifact(f"{COPY_OUTPUT}-{environment}")
        role = iam.Role.from_role_arn(
            scope, f"Role-{environment}", release_role(scope, promotion), mutable=False
        )
        return codepipeline.StageProps(
            stage_name=f"Promote-{environment}",
            actions=[
                self._approval(promotion),
                self._copy(promotion, copied),
                CrossAccountEcsDeployAction(
                    promotion, built=self.built, copied=copied, placeholder=self.placeholder, role=role
                ),
            ],
        )

    def _approval(self, promotion: Promotion) -> codepipeline.IAction:
        """Create the approval; its notification links to the commit."""
        commits = f"{CODE_CONSOLE}/codecommit/repositories/{self.repository}/commit"
        return actions.ManualApprovalAction(
            action_name=f"Approve-{promotion.environment}",
            run_order=APPROVE,
            role=self.approval_role,
            notification_topic=self.topic,
            additional_information=(
                f"Release commit {self.commit} to {promotion.environment} in account {promotion.account}, "
                f"with a copy of the image {self.image}?"
            ),
            external_entity_link=f"{commits}/{self.commit}?region={REGION}",
        )

    def _copy(self, promotion: Promotion, copied: codepipeline.Artifact) -> codepipeline.IAction:
        """Create the copy of the image to the environment's own repository (pitfall F13)."""
        registry = f"{promotion.account}.dkr.ecr.{REGION}.amazonaws.com"
        variables = {
            "TARGET_REPOSITORY_URI": f"{registry}/{Names(promotion.environment).image_repository}",
            "COMMIT": self.commit,
        }
        return actions.CodeBuildAction(
            action_name=f"Copy-{promotion.environment}",
            run_order=COPY,
            project=self.project,
            input=self.built,
            outputs=[copied],
            environment_variables={
                name: codebuild.BuildEnvironmentVariable(value=value) for name, value in variables.items()
            },
            role=self.copy_role,
        )


class CrossAccountEcsDeployAction(actions.Action):
    """CodeDeployToECS in the account of another environment, with a role of that account.

    The CDK's own action adds a support stack in that account, and grants to names that may not exist yet
    (pitfalls K1, M2).
    """

    def __init__(
        self,
        promotion: Promotion,
        *,
        built: codepipeline.Artifact,
        copied: codepipeline.Artifact,
        placeholder: str,
        role: iam.IRole,
    ) -> None:
        super().__init__(
            action_name=f"Deploy-{promotion.environment}",
            category=codepipeline.ActionCategory.DEPLOY,
            provider="CodeDeployToECS",
            artifact_bounds=codepipeline.ActionArtifactBounds(
                min_inputs=1, max_inputs=5, min_outputs=0, max_outputs=0
            ),
            inputs=[built, copied],
            run_order=DEPLOY,
            role=role,
        )
        names, files = Names(promotion.environment), built.artifact_name
        self._configuration = {
            "ApplicationName": names.application,
            "DeploymentGroupName": names.deployment_group,
            "TaskDefinitionTemplateArtifact": files,
            "TaskDefinitionTemplatePath": f"taskdef-{promotion.environment}.json",
            "AppSpecTemplateArtifact": files,
            "AppSpecTemplatePath": f"appspec-{promotion.environment}.yaml",
            "Image1ArtifactName": copied.artifact_name,
            "Image1ContainerName": placeholder,
        }

    def _bound(
        self, scope: Construct, stage: codepipeline.IStage, *, bucket: s3.IBucket, role: iam.IRole
    ) -> codepipeline.ActionConfig:
        return codepipeline.ActionConfig(configuration=self._configuration)
