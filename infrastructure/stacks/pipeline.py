"""The pipeline stack: the stages Source, Build and Deploy, and what only the pipeline uses."""

from __future__ import annotations

from typing import Any

from aws_cdk import NestedStack, RemovalPolicy
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.alarms import notifying_alarms
from infrastructure.constructs.artifacts import BUILD_OUTPUT, SOURCE_OUTPUT, Artifacts
from infrastructure.constructs.blue_green_routes import BlueGreenRoutes
from infrastructure.constructs.build import Build, run_statement
from infrastructure.constructs.build_retry.construct import BuildRetry
from infrastructure.constructs.commit_test import CommitTest
from infrastructure.constructs.dashboard import Dashboard
from infrastructure.constructs.deploy_stage import deploy_stage
from infrastructure.constructs.deployment import Deployment, deployment_statements
from infrastructure.constructs.drift_check.construct import DriftCheck
from infrastructure.constructs.event_log import EventLog
from infrastructure.constructs.image_copy.construct import ImageCopy
from infrastructure.constructs.image_keeper.construct import ImageKeeper
from infrastructure.constructs.notifications import Notifications
from infrastructure.constructs.promotion import (
    PromotionStages,
    approval_statements,
    release_role,
    role_arns,
    target_repositories,
)
from infrastructure.constructs.roles import allow, arn, create_role, service_principal
from infrastructure.constructs.source import seeded_repository, source_stage, start_on_push
from infrastructure.constructs.task_resources import TaskResources
from infrastructure.constructs.traffic_hook.construct import TrafficHook
from infrastructure.naming import BRANCH

IMAGE_PLACEHOLDER = "IMAGE1_NAME"  # taskdef.json contains it between < and > (pitfall D2).


class PipelineStack(NestedStack):
    """The pipeline and everything that only the pipeline uses."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        vpc: ec2.IVpc,
        hook_group: ec2.ISecurityGroup,
        routes: BlueGreenRoutes,
        task: TaskResources,
        service: ecs.FargateService,
    ) -> None:
        super().__init__(scope, id_, removal_policy=RemovalPolicy.DESTROY)
        self._names = names = config.names
        self.artifacts = Artifacts(self, "Artifacts", names=names)
        self.artifacts.share(role_arns(self, config.promote_to, "cross-account-role"))
        self.repository = seeded_repository(self, "Repository", config=config)
        self.test = CommitTest(self, "Test", config=config, artifacts=self.artifacts)
        self.build = Build(self, "Build", config=config, artifacts=self.artifacts, task=task)
        self.hook = self._hook(config, vpc, hook_group, routes)
        self.deployment = Deployment(
            self,
            "Deployment",
            config=config,
            service=service,
            routes=routes,
            task=task,
            hook=self.hook.function,
        )
        self.notifications = Notifications(self, "Notifications", config=config)
        self.event_log = EventLog(self, "EventLog", names=names)
        self.image_keeper = ImageKeeper(self, "ImageKeeper", names=names, images=task.images)
        projects = [self.test.project, self.build.project]
        self.build_retry = BuildRetry(
            self, "BuildRetry", names=names, projects=projects, notifications=self.notifications
        )
        self.pipeline = self._pipeline(config, task)
        start_on_push(self, names=names, repository=self.repository, pipeline=self.pipeline)
        self._observe(config, service, routes, task)

    def _hook(
        self, config: Config, vpc: ec2.IVpc, group: ec2.ISecurityGroup, routes: BlueGreenRoutes
    ) -> TrafficHook:
        return TrafficHook(
            self,
            "TrafficHook",
            config=config,
            vpc=vpc,
            group=group,
            load_balancer=routes.load_balancer,
            signing_key=self.build.signing_key,
        )

    def _observe(
        self, config: Config, service: ecs.FargateService, routes: BlueGreenRoutes, task: TaskResources
    ) -> None:
        DriftCheck(
            self, "DriftCheck", config=config, routes=routes, task=task, notifications=self.notifications
        )
        # After every rule: it collects them.
        alarms = [*self.deployment.alarms, *notifying_alarms(self, config, routes)]
        self.notifications.publish_alarms(alarms)
        Dashboard(
            self,
            "Dashboard",
            names=self._names,
            tls=config.certificate_arn is not None,
            event_log=self.event_log.group,
            builds={"test": self.test.project, "build": self.build.project},
            service=service,
            routes=routes,
            alarms=alarms,
        )

    def _pipeline(self, config: Config, task: TaskResources) -> codepipeline.Pipeline:
        """Create the pipeline last, because AWS starts an execution at once (pitfall B6).

        Roles have inline policies, so a reference to a role waits for its policy.
        """
        role = self._pipeline_role(config)
        source, built = codepipeline.Artifact(SOURCE_OUTPUT), codepipeline.Artifact(BUILD_OUTPUT)
        fetch = self._source(role, source)
        # Of a commit that fails its tests, no image is built; what runs the tests has no output (attack C1).
        test = self._run("Test", self.test.project, "the tests", role, input=source, run_order=1)
        build = self._run(
            "Build", self.build.project, "the build", role, input=source, outputs=[built], run_order=2
        )
        deploy = self._deploy(role, built, config, task.pass_roles_statement())
        promotions = self._promote(role, config, fetch, build, task) if config.promote_to else []
        pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=self._names.pipeline,
            pipeline_type=codepipeline.PipelineType.V2,
            # Never PARALLEL: a deployment group takes one deployment at a time (pitfall E2).
            execution_mode=codepipeline.ExecutionMode.SUPERSEDED,
            role=role.without_policy_updates(),
            artifact_bucket=self.artifacts.bucket,
            restart_execution_on_update=False,
            stages=[
                source_stage(fetch),
                codepipeline.StageProps(stage_name="Build", actions=[test, build]),
                deploy_stage(config, deploy),
                *promotions,
            ],
        )
        # It refers to a part of each; the first execution needs all of each.
        used = (self.deployment, self.hook, self.test, self.build, self.repository, self.artifacts)
        pipeline.node.add_dependency(
            *used, self.notifications, self.event_log, self.image_keeper, self.build_retry
        )
        return pipeline

    def _pipeline_role(self, config: Config) -> iam.Role:
        own = ["source-action-role", "test-action-role", "build-action-role", "deploy-action-role"]
        own += ["approval-action-role", "copy-action-role"] if config.promote_to else []
        action_roles = [arn(self, "iam", f"role/{self._names.qualified(name)}", region=False) for name in own]
        action_roles += [release_role(self, promotion) for promotion in config.promote_to]
        return create_role(
            self,
            "Role",
            name=self._names.qualified("pipeline-role"),
            # CodePipeline sends no ARN that a condition could require (pitfall D10).
            assumed_by=service_principal("codepipeline"),
            description="What the pipeline does itself: hand artifacts on, and assume its actions' roles",
            statements=[
                allow("AssumeActionRoles", ["sts:AssumeRole"], action_roles),
                *self.artifacts.read_statements(),
                *self.artifacts.write_statements(),
                *self.artifacts.pipeline_statements(),
            ],
        )

    def _action_role(
        self, action: str, pipeline_role: iam.IRole, description: str, statements: list[iam.PolicyStatement]
    ) -> iam.IRole:
        role = create_role(
            self,
            f"{action}ActionRole",
            name=self._names.qualified(f"{action.lower()}-action-role"),
            assumed_by=iam.ArnPrincipal(pipeline_role.role_arn),
            description=description,
            statements=statements,
        )
        return role.without_policy_updates()

    def _source(self, role: iam.IRole, output: codepipeline.Artifact) -> actions.CodeCommitSourceAction:
        statements = [
            allow(
                "FetchTheCommit",
                [
                    "codecommit:GetBranch",
                    "codecommit:GetCommit",
                    "codecommit:UploadArchive",
                    "codecommit:GetUploadArchiveStatus",
                    "codecommit:CancelUploadArchive",
                ],
                [self.repository.repository_arn],
            ),
            *self.artifacts.write_statements(SOURCE_OUTPUT),
        ]
        return actions.CodeCommitSourceAction(
            action_name="Source",
            repository=self.repository,
            branch=BRANCH,
            # No polling: our own rule starts the pipeline, once for each push (pitfall E1).
            trigger=actions.CodeCommitTrigger.NONE,
            output=output,
            role=self._action_role("Source", role, "Fetches the commit of a run", statements),
        )

    def _run(
        self, action: str, project: codebuild.IProject, what: str, role: iam.IRole, **given: Any
    ) -> actions.CodeBuildAction:
        """Create an action that runs a project of this stack."""
        return actions.CodeBuildAction(
            action_name=action,
            project=project,
            role=self._action_role(
                action,
                role,
                f"Starts and watches {what} of a run",
                [run_statement(f"RunThe{action}", project)],
            ),
            **given,
        )

    def _deploy(
        self, role: iam.IRole, built: codepipeline.Artifact, config: Config, pass_roles: iam.PolicyStatement
    ) -> actions.CodeDeployEcsDeployAction:
        statements = [
            *deployment_statements(self, config=config, names=self._names),
            pass_roles,
            *self.artifacts.read_statements(BUILD_OUTPUT),
        ]
        return actions.CodeDeployEcsDeployAction(
            action_name="Deploy",
            deployment_group=self.deployment.group,
            task_definition_template_file=built.at_path("taskdef.json"),
            app_spec_template_file=built.at_path("appspec.yaml"),
            container_image_inputs=[
                actions.CodeDeployEcsContainerImageInput(
                    input=built, task_definition_placeholder=IMAGE_PLACEHOLDER
                )
            ],
            role=self._action_role(
                "Deploy", role, "Registers a run's task definition and releases it", statements
            ),
        )

    def _promote(
        self,
        role: iam.IRole,
        config: Config,
        fetch: actions.CodeCommitSourceAction,
        build: actions.CodeBuildAction,
        task: TaskResources,
    ) -> list[codepipeline.StageProps]:
        targets = target_repositories(self, config)
        copy = ImageCopy(
            self,
            "ImageCopy",
            names=self._names,
            artifacts=self.artifacts,
            images=task.images,
            targets=targets,
        )
        topic = self.notifications.topic
        stages = PromotionStages(
            commit=fetch.variables.commit_id,
            image=build.variable("IMAGE_URI"),
            repository=self._names.repository,
            built=codepipeline.Artifact(BUILD_OUTPUT),
            placeholder=IMAGE_PLACEHOLDER,
            project=copy.project,
            topic=topic,
            approval_role=self._action_role(
                "Approval", role, "Asks a person to approve", approval_statements(topic)
            ),
            copy_role=self._action_role(
                "Copy",
                role,
                "Starts and watches the copy of an image",
                [run_statement("RunTheCopy", copy.project)],
            ),
        )
        return stages.of(self, config.promote_to)
