"""The scalable target of the service, its policy, and what suspends both during a deployment (pitfall C8)."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Duration, Tags
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infrastructure.config.scaling import Scaling
from infrastructure.constructs.blue_green_routes import BlueGreenRoutes
from infrastructure.constructs.event_log import deployments_pattern
from infrastructure.constructs.functions import create_function, module_code
from infrastructure.constructs.roles import allow, arn
from infrastructure.constructs.scaling.metrics import target_tracking
from infrastructure.naming import Names

FOLDER = Path(__file__).parent
NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"
# Of a lost event, the next look corrects the effect.
LOOK_MINUTES = 5


class ServiceScaling(Construct):
    """Application Auto Scaling of the service: CloudFormation never resets its number of tasks (pitfall C1).

    During a deployment, a scaling event can make it fail, so AWS's guide suspends the scaling by events of
    CodeDeploy: https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        settings: Scaling,
        service: ecs.FargateService,
        routes: BlueGreenRoutes,
    ) -> None:
        super().__init__(scope, id_)
        self._names = names
        target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace=NAMESPACE,
            scalable_dimension=DIMENSION,
            resource_id=f"service/{names.cluster}/{names.service}",
            min_capacity=settings.min_tasks,
            max_capacity=settings.max_tasks,
        )
        Tags.of(target).add("Name", names.qualified("scalable-target"))
        target.node.add_dependency(service)
        scaling.CfnScalingPolicy(
            self,
            "Policy",
            policy_name=names.qualified("scaling-policy"),
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=target_tracking(settings, routes),
        )
        self.function = self._function()
        self._invoke_on_deployments()
        self._invoke_regularly()

    def _function(self) -> lambda_.Function:
        names = self._names
        return create_function(
            self,
            "scaling-suspender",
            names=names,
            description="Suspends the scaling of the service while a deployment runs",
            code=module_code(FOLDER),
            handler="handler.handler",
            timeout=Duration.minutes(1),
            role_description=(
                "What suspends the scaling: find a deployment in progress, and change the target"
            ),
            statements=self._statements(),
            environment={
                "RESOURCE_ID": f"service/{names.cluster}/{names.service}",
                "APPLICATION": names.application,
                "DEPLOYMENT_GROUP": names.deployment_group,
            },
        )

    def _invoke_on_deployments(self) -> None:
        names = self._names
        rule = events.Rule(
            self,
            "Deployments",
            rule_name=names.qualified("scaling-deployments"),
            description="Suspends the scaling when a deployment starts, and resumes it when it ends",
            event_pattern=deployments_pattern(names, "START", "SUCCESS", "FAILURE", "STOP"),
        )
        rule.add_target(targets.LambdaFunction(self.function))

    def _invoke_regularly(self) -> None:
        rule = events.Rule(
            self,
            "Regularly",
            rule_name=self._names.qualified("scaling-regularly"),
            description="Suspends or resumes the scaling, in case that an event was lost",
            schedule=events.Schedule.rate(Duration.minutes(LOOK_MINUTES)),
        )
        rule.add_target(targets.LambdaFunction(self.function))

    def _statements(self) -> list[iam.PolicyStatement]:
        names = self._names
        group = f"deploymentgroup:{names.application}/{names.deployment_group}"
        return [
            allow("FindADeployment", ["codedeploy:ListDeployments"], [arn(self, "codedeploy", group)]),
            # The id of a target is in no attribute. Whose target it is, the next statement limits.
            allow(
                "SuspendTheScaling",
                ["application-autoscaling:RegisterScalableTarget"],
                [arn(self, "application-autoscaling", "scalable-target/*")],
                {
                    "StringEquals": {
                        "application-autoscaling:service-namespace": NAMESPACE,
                        "application-autoscaling:scalable-dimension": DIMENSION,
                    }
                },
            ),
            # Application Auto Scaling requires them of the caller (pitfall C12).
            allow(
                "ChangeTheTargetOfTheService",
                ["ecs:DescribeServices", "ecs:UpdateService"],
                [arn(self, "ecs", f"service/{names.cluster}/{names.service}")],
            ),
        ]
