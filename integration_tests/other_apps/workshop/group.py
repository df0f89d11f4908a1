"""The deployment group, which a function creates."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from integration_tests.other_apps.workshop.roles import role
from integration_tests.other_apps.workshop.service import NAME, Service

HANDLER = Path(__file__).with_name("deployment_group")


class DeploymentGroup(Construct):
    """A deployment group that a function creates: CloudFormation once had no such resource."""

    def __init__(self, scope: Construct, id_: str, *, service: Service, **settings: Any) -> None:
        super().__init__(scope, id_)
        application = codedeploy.EcsApplication(self, "Application")
        deploy_role = role(self, "DeployRole", "codedeploy")
        deploy_role.add_managed_policy(
            iam.ManagedPolicy.from_aws_managed_policy_name("AWSCodeDeployRoleForECS")
        )
        cdk.CustomResource(
            self,
            "Group",
            service_token=self._function().function_arn,
            properties={
                "Application": application.application_name,
                "Group": NAME,
                "Role": deploy_role.role_arn,
                "Targets": [targets.target_group_name for targets in service.targets],
                "Listeners": [listener.listener_arn for listener in service.listeners],
                "Alarms": cdk.Stack.of(self).to_json_string(
                    [{"name": alarm.alarm_name} for alarm in service.alarms]
                ),
                "Cluster": service.cluster.cluster_name,
                "Service": service.service.service_name,
                **settings,
            },
        )
        self.group = codedeploy.EcsDeploymentGroup.from_ecs_deployment_group_attributes(
            self,
            "Imported",
            application=application,
            deployment_group_name=NAME,
            deployment_config=codedeploy.EcsDeploymentConfig.from_ecs_deployment_config_name(
                self, "Config", settings["Config"]
            ),
        )

    def _function(self) -> lambda_.Function:
        function_role = role(
            self,
            "FunctionRole",
            "lambda",
            *("iam:PassRole", "sts:AssumeRole", "codedeploy:List*", "codedeploy:Get*"),
            *(f"codedeploy:{verb}DeploymentGroup" for verb in ("Create", "Update", "Delete")),
        )
        function_role.add_managed_policy(
            iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSLambdaBasicExecutionRole")
        )
        return lambda_.Function(
            self,
            "Function",
            code=lambda_.Code.from_asset(str(HANDLER)),
            runtime=lambda_.Runtime.PYTHON_3_12,
            handler="index.handler",
            role=function_role,
            memory_size=128,
            timeout=cdk.Duration.seconds(60),
        )
