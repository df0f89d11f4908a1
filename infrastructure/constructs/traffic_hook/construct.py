"""The Lambda function of the test-traffic hook, with its role, log group and schedule (pitfalls N6, N7)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.approval import approval_variables, verify_approval_statements
from infrastructure.constructs.functions import package_code
from infrastructure.constructs.log_groups import allow_log_writes, create_log_group
from infrastructure.constructs.roles import allow, arn, create_role
from infrastructure.constructs.signing_key import SigningKey
from infrastructure.naming import CONTAINER_NAME, TEST_PORT

FOLDER = Path(__file__).parent
MODULES = ("handler", "approval", "break_glass", "image_scan", "image_signature")
# The handler recognizes this input of the schedule.
KEEP_ACTIVE = {"keepActive": True}
_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
_DESCRIBE_INTERFACES = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")


class TrafficHook(Construct):
    """The function that tests a new version through the test listener, and what it needs."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        vpc: ec2.IVpc,
        group: ec2.ISecurityGroup,
        load_balancer: elbv2.IApplicationLoadBalancer,
        signing_key: SigningKey,
    ) -> None:
        super().__init__(scope, id_)
        self._names = names = config.names
        self._verify = signing_key.verify_statements(config.promoted_from)
        self._verify += verify_approval_statements(self, config)
        self._trusted = signing_key.trusted(config.promoted_from)
        # Not the one that Lambda would create: no stack deletes that (pitfalls H1, H2).
        self.log_group = create_log_group(self, "Logs", name=f"/lambda/{names.traffic_hook}")
        # It refers to role and log group, so CloudFormation deletes it before them.
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=names.traffic_hook,
            description="Tests a new version through the test listener, and reports to CodeDeploy",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.X86_64,
            handler="function.handler.handler",
            code=package_code(FOLDER, *MODULES),
            # The wait for the scan and all attempts at their slowest; the limit of CodeDeploy is an hour.
            timeout=Duration.minutes(6),
            memory_size=256,
            role=self._role(self.log_group).without_policy_updates(),
            log_group=self.log_group,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            security_groups=[group],
            environment=self._environment(config, load_balancer),
        )
        self._keep_active()

    def _environment(self, config: Config, load_balancer: elbv2.IApplicationLoadBalancer) -> dict[str, str]:
        return {
            "CLUSTER": self._names.cluster,
            "SERVICE": self._names.service,
            "CONTAINER_NAME": CONTAINER_NAME,
            "TEST_URL": f"http://{load_balancer.load_balancer_dns_name}:{TEST_PORT}",
            "SMOKE_PATHS": json.dumps([asdict(each) for each in config.service.tested_paths]),
            "IMAGE_REPOSITORY": self._names.image_repository,
            "SIGNING_KEYS": ",".join(self._trusted),
            "IMAGE_SCAN_THRESHOLD": config.image_scan_threshold,
            # Without the reasons: the variables of a function have 4 KB together.
            "IMAGE_SCAN_EXCEPTIONS": json.dumps(
                {each.finding: each.until for each in config.image_scan_exceptions}
            ),
            "BREAK_GLASS": self._names.break_glass,
            "EVENT_SOURCE": self._names.traffic_hook,
            **approval_variables(self, config),
        }

    def _keep_active(self) -> None:
        """Invoke the function every day (pitfall N7): AWS allows 14 days without an invocation.

        The CDK's function that empties the artifact bucket is not in a VPC, and CloudFormation invokes it.
        """
        events.Rule(
            self,
            "Schedule",
            rule_name=self._names.qualified("test-traffic-hook-schedule"),
            description="Keeps the test-traffic hook Active: Lambda makes an idle function Inactive",
            schedule=events.Schedule.rate(Duration.days(1)),
            targets=[
                targets.LambdaFunction(self.function, event=events.RuleTargetInput.from_object(KEEP_ACTIVE))
            ],
        )

    def _role(self, log_group: logs.ILogGroup) -> iam.Role:
        names = self._names
        group = f"deploymentgroup:{names.application}/{names.deployment_group}"
        images = arn(self, "ecr", f"repository/{names.image_repository}")
        return create_role(
            self,
            "Role",
            name=names.qualified("test-traffic-hook-role"),
            # Lambda sends no source for a condition when it assumes the role of a function.
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="What the test-traffic hook does: read what is released, and report to CodeDeploy",
            statements=[
                allow(
                    "FindTheReplacementTaskSet",
                    ["ecs:DescribeServices"],
                    [arn(self, "ecs", f"service/{names.cluster}/{names.service}")],
                ),
                # This action supports no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
                allow("ReadTheTaskDefinition", ["ecs:DescribeTaskDefinition"], ["*"]),
                *self._task_statements(),
                allow("ReadTheScanOfTheImage", ["ecr:DescribeImageScanFindings"], [images]),
                allow("ReadTheSignature", ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [images]),
                *self._verify,
                *self._break_glass_statements(),
                allow(
                    "ReportTheResult",
                    ["codedeploy:PutLifecycleEventHookExecutionStatus"],
                    [arn(self, "codedeploy", group)],
                ),
                allow_log_writes(log_group.log_group_arn),
                *self._vpc_statements(),
            ],
        )

    def _break_glass_statements(self) -> list[iam.PolicyStatement]:
        """Allow the hook to read break-glass, and to send the event that a release used it."""
        name = self._names.break_glass
        own_events = {"StringEquals": {"events:source": self._names.traffic_hook}}
        bus = arn(self, "events", "event-bus/default")
        return [
            allow(
                "ReadWhetherBreakGlassIsOpen", ["ssm:GetParameter"], [arn(self, "ssm", f"parameter{name}")]
            ),
            allow("TellThatBreakGlassWasUsed", ["events:PutEvents"], [bus], own_events),
        ]

    def _task_statements(self) -> list[iam.PolicyStatement]:
        """Allow the hook to read the tasks of this cluster."""
        cluster = self._names.cluster
        # Without a container instance, ECS authorizes ListTasks on `*`: tools/iam_docs/justifications.py.
        of_cluster = {"ArnEquals": {"ecs:cluster": arn(self, "ecs", f"cluster/{cluster}")}}
        return [
            allow("ListTheTasks", ["ecs:ListTasks"], ["*"], of_cluster),
            allow("ReadTheImagesOfTasks", ["ecs:DescribeTasks"], [arn(self, "ecs", f"task/{cluster}/*")]),
        ]

    def _vpc_statements(self) -> list[iam.PolicyStatement]:
        """Allow Lambda to attach the function to the VPC, and deny the same to the function's code.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
        """
        function = arn(self, "lambda", f"function:{self._names.traffic_hook}")
        return [
            # Lambda requires the form */*; the two Describe actions support no resource.
            allow("AttachToTheVpc", _INTERFACES, [arn(self, "ec2", "*/*")]),
            allow("DescribeTheVpc", _DESCRIBE_INTERFACES, ["*"]),
            iam.PolicyStatement(
                sid="DenyTheVpcToTheCode",
                effect=iam.Effect.DENY,
                actions=[*_INTERFACES, *_DESCRIBE_INTERFACES],
                resources=["*"],
                conditions={"ArnEquals": {"lambda:SourceFunctionArn": function}},
            ),
        ]
