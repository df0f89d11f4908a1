"""The Deploy stage's CodeDeploy: how traffic moves to a new version, and what brings it back."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.alarms import load_balancer_alarm, target_group_alarms
from infrastructure.constructs.roles import allow, arn, create_role, service_principal
from infrastructure.naming import Names


def may_pass_task_roles(task_role_arn: str, execution_role_arn: str) -> iam.PolicyStatement:
    """Let a role hand these two roles, and no other, to ECS tasks (pitfall D7)."""
    return allow(
        "PassTheTasksRoles",
        ["iam:PassRole"],
        [task_role_arn, execution_role_arn],
        {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    )


def deployment_statements(scope: Construct, *, config: Config, names: Names) -> list[iam.PolicyStatement]:
    """Let a pipeline's Deploy action start and watch a deployment of this environment (pitfall D5)."""
    application, group = names.application, names.deployment_group
    return [
        allow(
            "RegisterTheRevision",
            [
                "codedeploy:GetApplication",
                "codedeploy:GetApplicationRevision",
                "codedeploy:RegisterApplicationRevision",
            ],
            [arn(scope, "codedeploy", f"application:{application}")],
        ),
        allow(
            "StartTheDeployment",
            ["codedeploy:CreateDeployment", "codedeploy:GetDeployment"],
            [arn(scope, "codedeploy", f"deploymentgroup:{application}/{group}")],
        ),
        allow(
            "ReadHowTrafficShifts",
            ["codedeploy:GetDeploymentConfig"],
            [arn(scope, "codedeploy", f"deploymentconfig:{config.deployment_config}")],
        ),
        # AWS's pages contradict each other about its resource: see permissions/citations.py.
        allow("RegisterTheTaskDefinition", ["ecs:RegisterTaskDefinition"], ["*"]),
    ]


class Deployment(Construct):
    """The CodeDeploy application and its deployment group, with the role and the alarms that it acts on."""

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
        task_role: iam.IRole,
        execution_role: iam.IRole,
        hook: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, id_)
        self._names = names
        role = self._role(
            [production_listener.listener_arn, test_listener.listener_arn],
            may_pass_task_roles(task_role.role_arn, execution_role.role_arn),
            hook.function_arn,
        )
        self.application = codedeploy.EcsApplication(self, "Application", application_name=names.application)
        self.alarms = [
            alarm
            for colour, group in (("blue", blue), ("green", green))
            for alarm in target_group_alarms(self, names, colour, group)
        ]
        self.alarms.append(load_balancer_alarm(self, names, production_listener.load_balancer))
        self.group = codedeploy.EcsDeploymentGroup(
            self,
            "Group",
            application=self.application,
            deployment_group_name=names.deployment_group,
            service=service,
            role=role.without_policy_updates(),  # The CDK would attach a managed policy (pitfall D8).
            deployment_config=codedeploy.EcsDeploymentConfig.from_ecs_deployment_config_name(
                self, "Config", config.deployment_config
            ),
            blue_green_deployment_config=codedeploy.EcsBlueGreenDeploymentConfig(
                blue_target_group=blue,
                green_target_group=green,
                listener=production_listener,
                test_listener=test_listener,
                # The CDK's default of 0 would kill the old version, and the way back, at once (pitfall N3).
                termination_wait_time=Duration.minutes(config.termination_wait_minutes),
            ),
            alarms=self.alarms,
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
            ),
        )

    def _role(self, listeners: list[str], pass_role: iam.PolicyStatement, hook: str) -> iam.Role:
        service = f"{self._names.cluster}/{self._names.service}"
        rules = f"listener-rule/app/{self._names.load_balancer}/*"
        return create_role(
            self,
            "Role",
            name=self._names.qualified("deployment-role"),
            assumed_by=service_principal(
                "codedeploy",
                source_arn=arn(
                    self,
                    "codedeploy",
                    f"deploymentgroup:{self._names.application}/{self._names.deployment_group}",
                ),
            ),
            description="What a release does: make and remove task sets, and move the two listeners",
            statements=[
                allow(
                    "ReplaceTheTaskSet",
                    [
                        "ecs:DescribeServices",
                        "ecs:CreateTaskSet",
                        "ecs:UpdateServicePrimaryTaskSet",
                        "ecs:DeleteTaskSet",
                    ],
                    [arn(self, "ecs", f"service/{service}"), arn(self, "ecs", f"task-set/{service}/*")],
                ),
                # They have no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
                allow(
                    "SeeTheTraffic",
                    [
                        "elasticloadbalancing:DescribeListeners",
                        "elasticloadbalancing:DescribeRules",
                        "elasticloadbalancing:DescribeTargetGroups",
                    ],
                    ["*"],
                ),
                allow("ShiftTheTraffic", ["elasticloadbalancing:ModifyListener"], listeners),
                allow(
                    "ShiftTheTrafficOfRules",
                    ["elasticloadbalancing:ModifyRule"],
                    [arn(self, "elasticloadbalancing", rules)],
                ),
                allow("AskTheGateBeforeTraffic", ["lambda:InvokeFunction"], [hook]),
                allow("WatchTheAlarms", ["cloudwatch:DescribeAlarms"], [arn(self, "cloudwatch", "alarm:*")]),
                pass_role,
            ],
        )
