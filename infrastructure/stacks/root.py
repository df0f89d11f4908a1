"""The root stack, which is deployed and destroyed: it composes the nested stacks and has every output."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, NestedStack, Stack, Tags
from constructs import Construct

from infrastructure.aspects.guardrails import enforce_guardrails
from infrastructure.config.settings import Config
from infrastructure.constructs.settings_guard.construct import SettingsGuard
from infrastructure.naming import CONSOLE, REGION, TEST_PORT
from infrastructure.outputs import Outputs
from infrastructure.stacks.access import AccessStack
from infrastructure.stacks.compute import ComputeStack
from infrastructure.stacks.network import NetworkStack
from infrastructure.stacks.pipeline import PipelineStack

DASHBOARDS = f"{CONSOLE}/cloudwatch/home?region={REGION}#dashboards/dashboard"


class RootStack(Stack):
    """One environment of one service."""

    def __init__(self, scope: Construct, *, config: Config) -> None:
        names = config.names
        super().__init__(
            scope,
            "Stack",  # The same in every environment, and so are the logical ids.
            stack_name=names.stack,
            description=f"The blue/green pipeline of a Python service: environment {names.suffix}",
            env=Environment(account=config.account, region=REGION),
            termination_protection=config.termination_protection,
        )
        self.network = NetworkStack(self, "Network", config=config)
        self.compute = ComputeStack(
            self,
            "Compute",
            config=config,
            vpc=self.network.vpc,
            service_group=self.network.service_group,
            routes=self.network.routes,
        )
        self.pipeline = PipelineStack(
            self,
            "Pipeline",
            config=config,
            vpc=self.network.vpc,
            hook_group=self.network.traffic_hook_group,
            routes=self.network.routes,
            task=self.compute.task,
            service=self.compute.service,
        )
        if AccessStack.has_resources(config):
            AccessStack(self, "Access", config=config)
        self._guard_settings(config)
        for key, value in self._outputs(config).to_stack().items():
            CfnOutput(self, key, value=value)
        for key, value in names.tags.items():
            Tags.of(self).add(key, value)
        enforce_guardrails(self, names=names)

    def _guard_settings(self, config: Config) -> None:
        """Let every nested stack wait for the guard: a deployment that it rejects has changed nothing yet."""
        guard = SettingsGuard(self, "SettingsGuard", config=config)
        for nested in self.node.children:
            if isinstance(nested, NestedStack):
                nested.node.add_dependency(guard.resource)

    def _outputs(self, config: Config) -> Outputs:
        host = self.network.load_balancer.load_balancer_dns_name
        pipeline = self.pipeline
        return Outputs(
            region=self.region,
            service_url=f"{'https' if config.certificate_arn else 'http'}://{host}",
            test_url=f"http://{host}:{TEST_PORT}",
            load_balancer_dns_name=host,
            clone_url_http=pipeline.repository.repository_clone_url_http,
            repository_name=pipeline.repository.repository_name,
            pipeline_name=pipeline.pipeline.pipeline_name,
            pipeline_arn=pipeline.pipeline.pipeline_arn,
            test_project_name=pipeline.test.project.project_name,
            build_project_name=pipeline.build.project.project_name,
            application_name=pipeline.deployment.application.application_name,
            deployment_group_name=pipeline.deployment.group.deployment_group_name,
            cluster_name=self.compute.cluster.cluster_name,
            service_name=self.compute.service.service_name,
            image_repository_name=self.compute.task.images.repository_name,
            image_repository_uri=self.compute.task.images.repository_uri,
            artifact_bucket_name=pipeline.artifacts.bucket.bucket_name,
            topic_arn=pipeline.notifications.topic.topic_arn,
            task_log_group_name=self.compute.task.log_group.log_group_name,
            test_log_group_name=pipeline.test.log_group.log_group_name,
            build_log_group_name=pipeline.build.log_group.log_group_name,
            traffic_hook_log_group_name=pipeline.hook.log_group.log_group_name,
            event_log_group_name=pipeline.event_log.group.log_group_name,
            dashboard_url=f"{DASHBOARDS}/{config.names.dashboard}",
        )
