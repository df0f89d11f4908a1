"""Promotion to further environments: a manual approval, then a deployment of the same image digest."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from infrastructure.config.account_options import Promotion
from infrastructure.config.settings import Config
from infrastructure.constructs.roles import allow, arn
from infrastructure.naming import CODE_CONSOLE, REGION, Names


def peer_role_arns(scope: Construct, config: Config, role: str) -> list[str]:
    """Return the ARNs of the role of type `role` in each environment that may use what is built here.

    For a trusted account without a promotion to it, the environments are not known: hence `*`.
    """
    promoted = {each.account for each in config.promote_to}
    named = [(each.account, Names(each.environment).qualified(role)) for each in config.promote_to]
    named += [(account, f"{role}-*") for account in config.trusted_accounts if account not in promoted]
    return [arn(scope, "iam", f"role/{name}", region=False, account=account) for account, name in named]


def release_role(scope: Construct, promotion: Promotion) -> str:
    """Return the ARN of the role that the pipeline assumes to release to an environment."""
    name = Names(promotion.environment).cross_account_role
    return arn(scope, "iam", f"role/{name}", region=False, account=promotion.account)


def build_variable(scope: Construct, config: Config) -> str:
    """Return the JSON from which buildspec.yml renders the files of each environment.

    The image is not part of it: every environment runs the same digest.
    """
    return json.dumps(
        {each.environment: _task_variables(scope, each) for each in config.promote_to},
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


def approval(
    promotion: Promotion, *, commit: str, repository: str, run_order: int, role: iam.IRole, topic: sns.ITopic
) -> codepipeline.IAction:
    """Create the approval before a release; its notification links to the commit."""
    return actions.ManualApprovalAction(
        action_name=f"Approve-{promotion.environment}",
        run_order=run_order,
        role=role,
        notification_topic=topic,
        additional_information=(
            f"Release commit {commit} to {promotion.environment} in account {promotion.account}, "
            "with the image that the environment before it runs?"
        ),
        external_entity_link=f"{CODE_CONSOLE}/codecommit/repositories/{repository}/commit/{commit}?region={REGION}",
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
        placeholder: str,
        run_order: int,
        role: iam.IRole,
    ) -> None:
        super().__init__(
            action_name=f"Deploy-{promotion.environment}",
            category=codepipeline.ActionCategory.DEPLOY,
            provider="CodeDeployToECS",
            artifact_bounds=codepipeline.ActionArtifactBounds(
                min_inputs=1, max_inputs=5, min_outputs=0, max_outputs=0
            ),
            inputs=[built],
            run_order=run_order,
            role=role,
        )
        names, artifact = Names(promotion.environment), built.artifact_name
        self._configuration = {
            "ApplicationName": names.application,
            "DeploymentGroupName": names.deployment_group,
            "TaskDefinitionTemplateArtifact": artifact,
            "TaskDefinitionTemplatePath": f"taskdef-{promotion.environment}.json",
            "AppSpecTemplateArtifact": artifact,
            "AppSpecTemplatePath": f"appspec-{promotion.environment}.yaml",
            "Image1ArtifactName": artifact,
            "Image1ContainerName": placeholder,
        }

    def _bound(
        self, scope: Construct, stage: codepipeline.IStage, *, bucket: s3.IBucket, role: iam.IRole
    ) -> codepipeline.ActionConfig:
        return codepipeline.ActionConfig(configuration=self._configuration)


def promote(
    scope: Construct,
    promotions: Sequence[Promotion],
    *,
    commit: str,
    repository: str,
    built: codepipeline.Artifact,
    placeholder: str,
    approval_role: iam.IRole,
    topic: sns.ITopic,
) -> list[codepipeline.IAction]:
    """Return an approval and a release for each environment, in order."""
    listed: list[codepipeline.IAction] = []
    for number, promotion in enumerate(promotions, start=1):
        listed.append(
            approval(
                promotion,
                commit=commit,
                repository=repository,
                run_order=2 * number,
                role=approval_role,
                topic=topic,
            )
        )
        role = iam.Role.from_role_arn(
            scope, f"Role-{promotion.environment}", release_role(scope, promotion), mutable=False
        )
        listed.append(
            CrossAccountEcsDeployAction(
                promotion, built=built, placeholder=placeholder, run_order=2 * number + 1, role=role
            )
        )
    return listed
