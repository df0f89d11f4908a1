"""The function that looks for drift once a day: its role, log group, schedule and what it remembers."""

from __future__ import annotations

import json
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs import dependency_audit
from infrastructure.constructs.blue_green_routes import BlueGreenRoutes
from infrastructure.constructs.functions import create_function, package_code
from infrastructure.constructs.notifications import Notifications
from infrastructure.constructs.roles import allow, arn
from infrastructure.constructs.task_resources import TaskResources

FOLDER = Path(__file__).parent
MODULES = ("handler", "dates", "finding", "images", "listeners", "stacks")
NOTHING_TOLD = "{}"
# Who may do what, who reaches what, and what checks a release. CloudFormation reads them as its caller, with
# what the schemas of the types name. A rule's schema names iam:PassRole, which no check needs to have.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
WATCHED_TYPES = ("AWS::EC2::SecurityGroup", "AWS::IAM::Role", "AWS::Lambda::Function")
_ROLE_READS = ("GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies")
_FUNCTION_READS = (
    "GetFunction",
    "GetFunctionCodeSigningConfig",
    "GetFunctionRecursionConfig",
    "GetFunctionScalingConfig",
    "GetRuntimeManagementConfig",
)
_STACK_READS = (
    "DescribeStackResourceDrifts",
    "DescribeStacks",
    "DetectStackDrift",
    "DetectStackResourceDrift",
    "ListStackResources",
)


class DriftCheck(Construct):
    """The function that tells the topic once what changed without a release, and once that it is gone.

    What it told is in a parameter, whose value CloudFormation sets when it creates it, and leaves then.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        routes: BlueGreenRoutes,
        task: TaskResources,
        notifications: Notifications,
    ) -> None:
        super().__init__(scope, id_)
        self._names = names = config.names
        ssm.StringParameter(
            self,
            "Told",
            parameter_name=names.drift_check_told,
            string_value=NOTHING_TOLD,
            description="What the drift check has told, so that it tells it once",
        )
        function = self._function(config, routes, task, notifications)
        events.Rule(
            self,
            "Daily",
            rule_name=names.qualified("drift-check-daily"),
            description="Looks for drift once a day",
            schedule=events.Schedule.rate(Duration.days(1)),
            targets=[targets.LambdaFunction(function)],
        )

    def _function(
        self, config: Config, routes: BlueGreenRoutes, task: TaskResources, notifications: Notifications
    ) -> lambda_.Function:
        names = self._names
        return create_function(
            self,
            "drift-check",
            names=names,
            description="Tells once a day what has changed without a release, if anything has",
            code=package_code(FOLDER, *MODULES),
            handler="function.handler.handler",
            # CloudFormation takes "up to several minutes" for each stack.
            timeout=Duration.minutes(15),
            role_description="What the drift check does: read what may have drifted, and tell the topic",
            statements=[
                *self._service_statements(task),
                *self._certificate_statements(config),
                *self._stack_statements(),
                *self._resource_statements(),
                *notifications.publish_statements(),
                allow(
                    "RememberWhatWasTold",
                    ["ssm:GetParameter", "ssm:PutParameter"],
                    [arn(self, "ssm", f"parameter{names.drift_check_told}")],
                ),
            ],
            environment=self._environment(config, routes, task, notifications),
        )

    def _environment(
        self, config: Config, routes: BlueGreenRoutes, task: TaskResources, notifications: Notifications
    ) -> dict[str, str]:
        names = self._names
        audit = json.loads(dependency_audit.EXCEPTIONS.read_text("utf-8"))
        advisories = json.loads(dependency_audit.ADVISORIES.read_text("utf-8"))
        # Without the reasons: the variables of a function have 4 KB together.
        exceptions = {
            "the dependency audit": {each["finding"]: each["until"] for each in audit},
            "imageScanExceptions": {each.finding: each.until for each in config.image_scan_exceptions},
        }
        return {
            "SUFFIX": names.suffix,
            "STACK": names.stack,
            "WATCHED_TYPES": ",".join(WATCHED_TYPES),
            "CLUSTER": names.cluster,
            "SERVICE": names.service,
            "APPLICATION": names.application,
            "DEPLOYMENT_GROUP": names.deployment_group,
            "PRODUCTION_LISTENER": routes.production_listener.listener_arn,
            "TEST_LISTENER": routes.test_listener.listener_arn,
            "TARGET_GROUPS": ",".join(each.target_group_arn for each in routes.target_groups.values()),
            "IMAGE_REPOSITORY_URI": task.images.repository_uri,
            "IMAGE_SCAN_THRESHOLD": config.image_scan_threshold,
            "EXCEPTIONS": json.dumps(exceptions),
            "ADVISORIES_UPDATED": advisories["updated"],
            "CERTIFICATE": config.certificate_arn or "",
            "TOPIC": notifications.topic.topic_arn,
            "TOLD": names.drift_check_told,
        }

    def _service_statements(self, task: TaskResources) -> list[iam.PolicyStatement]:
        names = self._names
        group = f"deploymentgroup:{names.application}/{names.deployment_group}"
        return [
            allow(
                "FindTheTaskSetWithTheTraffic",
                ["ecs:DescribeServices"],
                [arn(self, "ecs", f"service/{names.cluster}/{names.service}")],
            ),
            allow("FindADeployment", ["codedeploy:ListDeployments"], [arn(self, "codedeploy", group)]),
            # These actions support no resource: tools/iam_docs/justifications.py.
            allow(
                "ReadTheListenersAndTheTasks",
                ["ecs:DescribeTaskDefinition", "elasticloadbalancing:DescribeListeners"],
                ["*"],
            ),
            allow(
                "ScanTheImage",
                ["ecr:DescribeImageScanFindings", "ecr:StartImageScan"],
                [task.images.repository_arn],
            ),
        ]

    def _certificate_statements(self, config: Config) -> list[iam.PolicyStatement]:
        if not config.certificate_arn:
            return []
        return [allow("ReadTheCertificate", ["acm:DescribeCertificate"], [config.certificate_arn])]

    def _stack_statements(self) -> list[iam.PolicyStatement]:
        names = (self._names.stack, f"{self._names.stack}-*NestedStack*")
        stacks = [arn(self, "cloudformation", f"stack/{each}/*") for each in names]
        return [
            allow("DetectDrift", [f"cloudformation:{read}" for read in _STACK_READS], stacks),
            # These two support no resource: tools/iam_docs/justifications.py.
            allow(
                "WaitForTheDetection",
                [
                    "cloudformation:BatchDescribeTypeConfigurations",
                    "cloudformation:DescribeStackDriftDetectionStatus",
                ],
                ["*"],
            ),
        ]

    def _resource_statements(self) -> list[iam.PolicyStatement]:
        """Allow what CloudFormation reads, as the caller, of the watched types."""
        own = self._names.qualified("*")
        return [
            allow(
                "ReadTheRoles",
                [f"iam:{read}" for read in _ROLE_READS],
                [arn(self, "iam", f"role/{own}", region=False)],
            ),
            allow(
                "ReadTheFunctions",
                [f"lambda:{read}" for read in _FUNCTION_READS],
                [arn(self, "lambda", f"function:{own}")],
            ),
            # This action supports no resource: tools/iam_docs/justifications.py.
            allow("ReadTheSecurityGroups", ["ec2:DescribeSecurityGroups"], ["*"]),
        ]
