"""The service, its load balancer and its alarms."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

NAME = "shop"
PORT = 8080
COLORS = ("Blue", "Green")
# Metric, statistic, and the number of periods.
METRICS = (("UnHealthyHostCount", "Average", 2), ("HTTPCode_Target_5XX_Count", "Sum", 1))


class Service(Construct):
    """The service behind two listeners."""

    def __init__(self, scope: Construct, id_: str, *, images: ecr.IRepository, task_role: iam.IRole) -> None:
        super().__init__(scope, id_)
        vpc = ec2.Vpc(self, "Network", ip_addresses=ec2.IpAddresses.cidr("10.0.0.0/16"))
        self.cluster = ecs.Cluster(self, "Cluster", vpc=vpc, container_insights=True)
        self.balancer = elbv2.ApplicationLoadBalancer(self, "Balancer", vpc=vpc, internet_facing=True)
        self.listeners = [
            self.balancer.add_listener("Production", port=80),
            self.balancer.add_listener("Test", port=8080),
        ]
        self.targets = [
            self._target_group(color, listener, vpc)
            for color, listener in zip(COLORS, self.listeners, strict=True)
        ]
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=self.cluster,
            task_definition=self._task(images, task_role),
            health_check_grace_period=cdk.Duration.seconds(60),
            desired_count=3,
            deployment_controller=ecs.DeploymentController(type=ecs.DeploymentControllerType.CODE_DEPLOY),
            service_name=NAME,
        )
        self.service.connections.allow_from(self.balancer, ec2.Port.tcp(PORT))
        self.service.attach_to_application_target_group(self.targets[0])
        self.alarms = [
            self._alarm(color, targets, metric, statistic, periods)
            for color, targets in zip(COLORS, self.targets, strict=True)
            for metric, statistic, periods in METRICS
        ]

    def _task(self, images: ecr.IRepository, task_role: iam.IRole) -> ecs.FargateTaskDefinition:
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            family=NAME,
            cpu=256,
            memory_limit_mib=1024,
            task_role=task_role,
            execution_role=task_role,
        )
        group = logs.LogGroup(
            self, "Log", log_group_name=f"/ecs/{NAME}", removal_policy=cdk.RemovalPolicy.DESTROY
        )
        task.add_container(
            "Container",
            image=ecs.ContainerImage.from_ecr_repository(images),
            logging=ecs.AwsLogDriver(log_group=group, stream_prefix="app"),
        ).add_port_mappings(ecs.PortMapping(container_port=PORT, protocol=ecs.Protocol.TCP))
        return task

    def _target_group(
        self, color: str, listener: elbv2.ApplicationListener, vpc: ec2.Vpc
    ) -> elbv2.ApplicationTargetGroup:
        listener.connections.allow_default_port_from_any_ipv4("Allow traffic from everywhere")
        targets = elbv2.ApplicationTargetGroup(
            self,
            color,
            vpc=vpc,
            protocol=elbv2.ApplicationProtocol.HTTP,
            port=80,
            target_type=elbv2.TargetType.IP,
            health_check=elbv2.HealthCheck(
                path="/",
                timeout=cdk.Duration.seconds(30),
                interval=cdk.Duration.seconds(60),
                healthy_http_codes="200",
            ),
        )
        listener.add_target_groups(color, target_groups=[targets])
        return targets

    def _alarm(
        self, color: str, targets: elbv2.ApplicationTargetGroup, metric: str, statistic: str, periods: int
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            f"{color}{metric}",
            alarm_name=f"{NAME}{color}{metric}",
            alarm_description=f"{metric} of the {color.lower()} targets",
            metric=cloudwatch.Metric(
                namespace="AWS/ApplicationELB",
                metric_name=metric,
                dimensions_map={
                    "TargetGroup": targets.target_group_full_name,
                    "LoadBalancer": self.balancer.load_balancer_full_name,
                },
                statistic=statistic,
                period=cdk.Duration.seconds(300),
            ),
            threshold=1,
            evaluation_periods=periods,
        )
