"""The CodeDeploy application and deployment group: how traffic shifts to a new version, and rolls back."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.alarms import load_balancer_alarm, target_group_alarms
from infrastructure.constructs.blue_green_routes import BlueGreenRoutes
from infrastructure.constructs.deployment_guard.construct import DeploymentGuard
from infrastructure.constructs.roles import allow, arn, create_role, service_principal
from infrastructure.constructs.task_resources import TaskResources
from infrastructure.naming import Names


def deployment_statements(scope: Construct, *, config: Config, names: Names) -> list[iam.PolicyStatement]:
    """Allow a Deploy action to start and to follow deployments of this environment (pitfall D5)."""
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
        # AWS's pages contradict each other about its resource: see tools/iam_docs/justifications.py.
        allow("RegisterTheTaskDefinition", ["ecs:RegisterTaskDefinition"], ["*"]),
    ]


class Deployment(Construct):
    """The CodeDeploy application and its deployment group, with its role, its alarms and its guard."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        service: ecs.FargateService,
        routes: BlueGreenRoutes,
        task: TaskResources,
        hook: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, id_)
        self._names = names = config.names
        role = self._role(routes, task.pass_roles_statement(), hook)
        self.application = codedeploy.EcsApplication(self, "Application", application_name=names.application)
        self.alarms = self._alarms(routes)
        self.guard = DeploymentGuard(self, "Guard", names=names, is_target=bool(config.promoted_from))
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
                blue_target_group=routes.blue,
                green_target_group=routes.green,
                listener=routes.production_listener,
                test_listener=routes.test_listener,
                # The CDK's default of 0 stops the old tasks at once: no fast rollback (pitfall N3).
                termination_wait_time=Duration.minutes(config.termination_wait_minutes),
            ),
            alarms=self.alarms,
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
            ),
        )

    def _alarms(self, routes: BlueGreenRoutes) -> list[cloudwatch.Alarm]:
        alarms = [
            alarm
            for colour, group in routes.target_groups.items()
            for alarm in target_group_alarms(self, self._names, colour, group)
        ]
        return [*alarms, load_balancer_alarm(self, self._names, routes.load_balancer)]

    def _role(
        self, routes: BlueGreenRoutes, pass_roles: iam.PolicyStatement, hook: lambda_.IFunction
    ) -> iam.Role:
        group = f"{self._names.application}/{self._names.deployment_group}"
        return create_role(
            self,
            "Role",
            name=self._names.qualified("deployment-role"),
            # https://docs.aws.amazon.com/codedeploy/latest/userguide/security_confused_deputy.html
            assumed_by=service_principal(
                "codedeploy", source_arn=arn(self, "codedeploy", f"deploymentgroup:{group}")
            ),
            description="What a release does: make and remove task sets, and move the two listeners",
            statements=[
                self._task_set_statement(),
                *self._traffic_statements(routes),
                allow(
                    "InvokeTheTestTrafficHook",
                    ["lambda:InvokeFunction"],
                    # `:*` stands for its versions and aliases.
                    [hook.function_arn, f"{hook.function_arn}:*"],
                ),
                allow("WatchTheAlarms", ["cloudwatch:DescribeAlarms"], [arn(self, "cloudwatch", "alarm:*")]),
                pass_roles,
            ],
        )

    def _task_set_statement(self) -> iam.PolicyStatement:
        service = f"{self._names.cluster}/{self._names.service}"
        return allow(
            "ReplaceTheTaskSet",
            [
                "ecs:DescribeServices",
                "ecs:CreateTaskSet",
                "ecs:UpdateServicePrimaryTaskSet",
                "ecs:DeleteTaskSet",
            ],
            [arn(self, "ecs", f"service/{service}"), arn(self, "ecs", f"task-set/{service}/*")],
        )

    def _traffic_statements(self, routes: BlueGreenRoutes) -> list[iam.PolicyStatement]:
        listeners = [routes.production_listener.listener_arn, routes.test_listener.listener_arn]
        rules = arn(self, "elasticloadbalancing", f"listener-rule/app/{self._names.load_balancer}/*")
        return [
            # These actions support no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
            allow(
                "DescribeTheTraffic",
                [
                    "elasticloadbalancing:DescribeListeners",
                    "elasticloadbalancing:DescribeRules",
                    "elasticloadbalancing:DescribeTargetGroups",
                ],
                ["*"],
            ),
            allow("ShiftTheTraffic", ["elasticloadbalancing:ModifyListener"], listeners),
            allow("ShiftTheTrafficOfRules", ["elasticloadbalancing:ModifyRule"], [rules]),
        ]
