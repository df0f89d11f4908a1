"""The one stack that a person deploys and destroys: it composes the nested stacks and owns every output."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack, Tags
from constructs import Construct

from infrastructure.aspects.guardrails import guard
from infrastructure.config.settings import Config
from infrastructure.naming import REGION, TEST_PORT
from infrastructure.outputs import Outputs
from infrastructure.stacks.access import AccessStack
from infrastructure.stacks.compute import ComputeStack
from infrastructure.stacks.network import NetworkStack
from infrastructure.stacks.pipeline import PipelineStack

DASHBOARDS = f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}#dashboards/dashboard"


class RootStack(Stack):
    """One environment of the service, whole."""

    def __init__(self, scope: Construct, *, config: Config) -> None:
        names = config.names
        super().__init__(
            scope,
            "Stack",  # The same in every environment, so that the ids inside are, too.
            stack_name=names.stack,
            description=f"One road to production for a Python service: environment {names.suffix}",
            env=Environment(account=config.account, region=REGION),
        )
        for key, value in names.tags.items():
            Tags.of(self).add(key, value)
        self.network = NetworkStack(self, "Network", config=config, names=names)
        self.compute = ComputeStack(
            self,
            "Compute",
            config=config,
            names=names,
            vpc=self.network.vpc,
            service_group=self.network.service_group,
            target_group=self.network.blue,
        )
        self.pipeline = PipelineStack(
            self,
            "Pipeline",
            config=config,
            names=names,
            service=self.compute.service,
            blue=self.network.blue,
            green=self.network.green,
            production_listener=self.network.production_listener,
            test_listener=self.network.test_listener,
            images=self.compute.images,
            task_role=self.compute.task_role,
            execution_role=self.compute.execution_role,
            task_log_group=self.compute.log_group,
            vpc=self.network.vpc,
            load_balancer=self.network.load_balancer,
            hook_group=self.network.traffic_hook_group,
        )
        if AccessStack.wanted(config):
            AccessStack(self, "Access", config=config, names=names)
        for key, value in self._outputs(config).to_stack().items():
            CfnOutput(self, key, value=value)
        guard(self, names=names)

    def _outputs(self, config: Config) -> Outputs:
        host = self.network.load_balancer.load_balancer_dns_name
        pipeline = self.pipeline
        return Outputs(
            service_url=f"{'https' if config.certificate_arn else 'http'}://{host}",
            test_url=f"http://{host}:{TEST_PORT}",
            clone_url_http=pipeline.repository.repository_clone_url_http,
            repository_name=pipeline.repository.repository_name,
            pipeline_name=pipeline.pipeline.pipeline_name,
            pipeline_arn=pipeline.pipeline.pipeline_arn,
            build_project_name=pipeline.build.project.project_name,
            application_name=pipeline.deployment.application.application_name,
            deployment_group_name=pipeline.deployment.group.deployment_group_name,
            cluster_name=self.compute.cluster.cluster_name,
            service_name=self.compute.service.service_name,
            image_repository_name=self.compute.images.repository_name,
            image_repository_uri=self.compute.images.repository_uri,
            artifact_bucket_name=pipeline.artifacts.bucket.bucket_name,
            topic_arn=pipeline.notifications.topic.topic_arn,
            event_log_group_name=pipeline.event_log.group.log_group_name,
            dashboard_url=f"{DASHBOARDS}/{config.names.dashboard}",
        )
