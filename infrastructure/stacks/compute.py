"""The compute stack: the image repository, the cluster, the service that CodeDeploy releases, its scaling."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Duration, NestedStack, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.blue_green_routes import BlueGreenRoutes
from infrastructure.constructs.image_repository import create_image_repository
from infrastructure.constructs.log_groups import allow_log_writes, create_log_group
from infrastructure.constructs.promotion import role_arns
from infrastructure.constructs.roles import allow, arn, create_role, service_principal
from infrastructure.constructs.scaling.construct import ServiceScaling
from infrastructure.constructs.stored_variables import stored_variable_statements
from infrastructure.constructs.task_resources import TaskResources
from infrastructure.naming import CONTAINER_NAME, Names

BOOTSTRAP_SERVER = Path(__file__).resolve().parent.parent / "constructs" / "bootstrap_server.py"
BOOTSTRAP_IMAGE = "public.ecr.aws/docker/library/python:3.9-slim"

# As AmazonECSTaskExecutionRolePolicy has them.
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")


class ComputeStack(NestedStack):
    """The ECS service and what one of its tasks needs to start."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        vpc: ec2.IVpc,
        service_group: ec2.ISecurityGroup,
        routes: BlueGreenRoutes,
    ) -> None:
        super().__init__(scope, id_, removal_policy=RemovalPolicy.DESTROY)
        names = config.names
        copiers = role_arns(self, config.promoted_from, "promotion-role")
        images = create_image_repository(self, "Images", names=names, promotion_roles=copiers)
        log_group = create_log_group(self, "TaskLogs", name=names.task_log_group)
        self.task = TaskResources(
            images=images,
            task_role=self._task_role(config, names),
            execution_role=self._execution_role(config, images, log_group),
            log_group=log_group,
        )
        self.cluster = self._cluster(names, vpc)
        self.service = self._service(config, names, service_group)
        self.service.attach_to_application_target_group(routes.blue)
        if config.service.scaling is not None:
            ServiceScaling(
                self,
                "Scaling",
                names=names,
                settings=config.service.scaling,
                service=self.service,
                routes=routes,
            )

    def _cluster(self, names: Names, vpc: ec2.IVpc) -> ecs.Cluster:
        """Create the cluster after the log group of its Container Insights (pitfall H3).

        ECS would create a missing group. In this order, the group is deleted after service and cluster.
        """
        cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=names.cluster,
            vpc=vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        insights = create_log_group(self, "InsightsLogs", name=names.insights_log_group)
        cluster.node.add_dependency(insights)
        return cluster

    def _task_role(self, config: Config, names: Names) -> iam.Role:
        statements = [
            iam.PolicyStatement(actions=list(one.actions), resources=list(one.resources))
            for one in config.service.task_statements
        ]
        return create_role(
            self,
            "TaskRole",
            name=names.qualified("task-role"),
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
            assumed_by=service_principal("ecs-tasks", source_arn=arn(self, "ecs", "*")),
            description=(
                "What the running service may do: what the catalogue says"
                if statements
                else "What the running service may do: nothing, because it calls no AWS service"
            ),
            statements=statements,
        )

    def _execution_role(self, config: Config, images: ecr.Repository, log_group: logs.LogGroup) -> iam.Role:
        return create_role(
            self,
            "ExecutionRole",
            name=config.names.qualified("execution-role"),
            # Without a source, as on AWS's page (pitfall D10):
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
            assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
            description="What ECS does to start a task: pull its image and write its log",
            statements=[
                # This action supports no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
                allow("SignInToTheRegistry", ["ecr:GetAuthorizationToken"], ["*"]),
                allow("PullTheImage", _PULL, [images.repository_arn]),
                allow_log_writes(log_group.log_group_arn),
                *stored_variable_statements(
                    self, config, sid="ReadTheSecretsOfTheService", action="ssm:GetParameters"
                ),
            ],
        )

    def _task_definition(self, config: Config, names: Names) -> ecs.FargateTaskDefinition:
        """Create the first task definition, with a public image: ours has no image yet (pitfall B1).

        Because its family is explicit, the service refers to it without a revision (pitfall C3).
        """
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            family=names.task_family,
            cpu=config.task_cpu,
            memory_limit_mib=config.task_memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
            task_role=self.task.task_role.without_policy_updates(),
            execution_role=self.task.execution_role.without_policy_updates(),
        )
        task.add_container(
            CONTAINER_NAME,
            container_name=CONTAINER_NAME,
            image=ecs.ContainerImage.from_registry(BOOTSTRAP_IMAGE),
            command=["python", "-c", BOOTSTRAP_SERVER.read_text("utf-8")],
            environment={"PORT": str(config.service.port)},
            port_mappings=[ecs.PortMapping(container_port=config.service.port)],
            readonly_root_filesystem=True,
            # Longer than the target groups' deregistration delay (pitfall N2).
            stop_timeout=Duration.seconds(60),
            logging=ecs.LogDrivers.aws_logs(stream_prefix=CONTAINER_NAME, log_group=self.task.log_group),
        )
        return task

    def _service(self, config: Config, names: Names, service_group: ec2.ISecurityGroup) -> ecs.FargateService:
        """Create the service; under CODE_DEPLOY, ECS refuses to update most properties (pitfalls C1, C2)."""
        return ecs.FargateService(
            self,
            "Service",
            service_name=names.service,
            cluster=self.cluster,
            task_definition=self._task_definition(config, names),
            desired_count=config.desired_count,
            deployment_controller=ecs.DeploymentController(type=ecs.DeploymentControllerType.CODE_DEPLOY),
            platform_version=ecs.FargatePlatformVersion.LATEST,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            security_groups=[service_group],
            assign_public_ip=False,
            health_check_grace_period=Duration.seconds(60),
            min_healthy_percent=100,
            max_healthy_percent=200,
            # By default, the scheduler may move tasks in the middle of a release.
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            enable_ecs_managed_tags=True,
            enable_execute_command=False,
        )
