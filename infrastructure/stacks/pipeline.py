"""The road of a commit: Source, Build, Deploy, and what starts it."""

from __future__ import annotations

from aws_cdk import NestedStack, RemovalPolicy
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.artifacts import Artifacts
from infrastructure.constructs.build import Build
from infrastructure.constructs.dashboard import Dashboard
from infrastructure.constructs.deployment import Deployment, deployment_statements, may_pass_task_roles
from infrastructure.constructs.event_log import EventLog
from infrastructure.constructs.notifications import Notifications
from infrastructure.constructs.promotion import approval_statements, peer_role_arns, promote, release_role
from infrastructure.constructs.roles import allow, arn, create_role, service_principal
from infrastructure.constructs.source import seeded_repository, start_on_push
from infrastructure.constructs.traffic_hook.construct import TrafficHook
from infrastructure.naming import BRANCH, Names

IMAGE_PLACEHOLDER = "IMAGE1_NAME"  # taskdef.json has it between < and > (pitfall D2).


class PipelineStack(NestedStack):
    """The pipeline and everything that only the pipeline uses."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        names: Names,
        service: ecs.FargateService,
        blue: elbv2.ApplicationTargetGroup,
        green: elbv2.ApplicationTargetGroup,
        production_listener: elbv2.ApplicationListener,
        test_listener: elbv2.ApplicationListener,
        images: ecr.IRepository,
        task_role: iam.IRole,
        execution_role: iam.IRole,
        task_log_group: logs.ILogGroup,
        vpc: ec2.IVpc,
        load_balancer: elbv2.ApplicationLoadBalancer,
        hook_group: ec2.ISecurityGroup,
    ) -> None:
        super().__init__(scope, id_, removal_policy=RemovalPolicy.DESTROY)
        self._names = names
        self.artifacts = Artifacts(self, "Artifacts", names=names)
        self.artifacts.share(peer_role_arns(self, config, "cross-account-role"))
        self.repository = seeded_repository(self, "Repository", config=config, names=names)
        self.build = Build(
            self,
            "Build",
            config=config,
            names=names,
            artifacts=self.artifacts,
            images=images,
            task_role=task_role,
            execution_role=execution_role,
            task_log_group=task_log_group,
        )
        self.hook = TrafficHook(
            self,
            "TrafficHook",
            config=config,
            names=names,
            vpc=vpc,
            group=hook_group,
            load_balancer=load_balancer,
        )
        self.deployment = Deployment(
            self,
            "Deployment",
            config=config,
            names=names,
            service=service,
            blue=blue,
            green=green,
            production_listener=production_listener,
            test_listener=test_listener,
            task_role=task_role,
            execution_role=execution_role,
            hook=self.hook.function,
        )
        self.notifications = Notifications(self, "Notifications", config=config, names=names)
        self.notifications.watch(self.deployment.alarms)
        self.event_log = EventLog(self, "EventLog", names=names)
        Dashboard(
            self,
            "Dashboard",
            names=names,
            event_log=self.event_log.group,
            build=self.build.project,
            service=service,
            blue=blue,
            green=green,
            balancer=production_listener.load_balancer,
            alarms=self.deployment.alarms,
        )
        self.pipeline = self._pipeline(
            config, may_pass_task_roles(task_role.role_arn, execution_role.role_arn)
        )
        start_on_push(self, names=names, repository=self.repository, pipeline=self.pipeline)

    def _pipeline(self, config: Config, pass_role: iam.PolicyStatement) -> codepipeline.Pipeline:
        """Run once by itself when it is made, so all that the run needs stands before it (pitfall B6).

        Roles carry their policies inside them, and the pipeline refers to each role: that is the order.
        """
        role = self._pipeline_role(config)
        source, built = codepipeline.Artifact("SourceOutput"), codepipeline.Artifact("BuildOutput")
        fetch = self._source(role, source)
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
                codepipeline.StageProps(stage_name="Source", actions=[fetch]),
                codepipeline.StageProps(stage_name="Build", actions=[self._build(role, source, built)]),
                codepipeline.StageProps(
                    stage_name="Deploy",
                    actions=[
                        self._deploy(role, built, config, pass_role),
                        *self._promote(role, config, fetch, built),
                    ],
                ),
            ],
        )
        # It refers to one part of each; the first run needs, and its failure tells, the rest.
        pipeline.node.add_dependency(
            self.deployment,
            self.hook,
            self.build,
            self.repository,
            self.artifacts,
            self.notifications,
            self.event_log,
        )
        return pipeline

    def _pipeline_role(self, config: Config) -> iam.Role:
        own = ["source-action-role", "build-action-role", "deploy-action-role"]
        own += ["approval-action-role"] if config.promote_to else []
        action_roles = [arn(self, "iam", f"role/{self._names.qualified(name)}", region=False) for name in own]
        action_roles += [release_role(self, promotion) for promotion in config.promote_to]
        return create_role(
            self,
            "Role",
            name=self._names.qualified("pipeline-role"),
            assumed_by=service_principal(
                "codepipeline", source_arn=arn(self, "codepipeline", self._names.pipeline)
            ),
            description="What the pipeline does itself: hand artifacts on, and take on its actions' roles",
            statements=[
                allow("TakeOnTheActionsRoles", ["sts:AssumeRole"], action_roles),
                *self.artifacts.may_read(),
                *self.artifacts.may_write(),
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
            *self.artifacts.may_write(),
        ]
        return actions.CodeCommitSourceAction(
            action_name="Source",
            repository=self.repository,
            branch=BRANCH,
            # No polling: our own rule starts the pipeline, once a push (pitfall E1).
            trigger=actions.CodeCommitTrigger.NONE,
            output=output,
            role=self._action_role("Source", role, "Fetches the commit of a run", statements),
        )

    def _build(
        self, role: iam.IRole, source: codepipeline.Artifact, output: codepipeline.Artifact
    ) -> actions.CodeBuildAction:
        statements = [
            allow(
                "RunTheBuild",
                ["codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild"],
                [self.build.project.project_arn],
            )
        ]
        return actions.CodeBuildAction(
            action_name="Build",
            project=self.build.project,
            input=source,
            outputs=[output],
            role=self._action_role("Build", role, "Starts and watches the build of a run", statements),
        )

    def _deploy(
        self, role: iam.IRole, built: codepipeline.Artifact, config: Config, pass_role: iam.PolicyStatement
    ) -> actions.CodeDeployEcsDeployAction:
        statements = [
            *deployment_statements(self, config=config, names=self._names),
            pass_role,
            *self.artifacts.may_read(),
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
        built: codepipeline.Artifact,
    ) -> list[codepipeline.IAction]:
        if not config.promote_to:
            return []
        topic = self.notifications.topic
        asks = self._action_role("Approval", role, "Asks a person to approve", approval_statements(topic))
        return promote(
            self,
            config.promote_to,
            commit=fetch.variables.commit_id,
            repository=self._names.repository,
            built=built,
            placeholder=IMAGE_PLACEHOLDER,
            approval_role=asks,
            topic=topic,
        )
