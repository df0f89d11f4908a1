"""The Lambda function that stops a deployment past the platform's files, its role, log group and rules."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.constructs.deployment_guard.function.task_definition import FREE_OF_CONTAINER
from infrastructure.constructs.event_log import deployments_pattern
from infrastructure.constructs.functions import create_function, package_code
from infrastructure.constructs.release_files.fill import APPSPEC, SIDECAR_FIELDS, SIDECAR_IMAGES, TASK
from infrastructure.constructs.roles import allow, arn
from infrastructure.naming import CONTAINER_NAME, REGION, Names

FOLDER = Path(__file__).parent
PROJECT = FOLDER.parent.parent.parent
MODULES = ("handler", "app_spec", "shift", "task_definition")
TASK_EVENT = "ECS Task State Change"
OF_EVERY_CONTAINER = ("linuxParameters", "readonlyRootFilesystem", "logConfiguration")


class DeploymentGuard(Construct):
    """The function that checks each deployment when it starts, and again when its tasks start.

    A deployment names its hook itself, so whoever may create one can leave it out (attack G19). IAM has no
    condition on the revision of codedeploy:CreateDeployment, so no policy can require it:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodedeploy.html
    The target of a promotion also stops what the function cannot read.
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, is_target: bool) -> None:
        super().__init__(scope, id_)
        self._names = names
        self.function = create_function(
            self,
            "deployment-guard",
            names=names,
            description="Stops a deployment without the hook, with other tasks, or with other alarms",
            code=package_code(FOLDER, *MODULES),
            handler="function.handler.handler",
            timeout=Duration.minutes(1),
            role_description="What the deployment guard does: read what is deployed, and stop it",
            statements=self._statements(),
            environment={
                "APPLICATION": names.application,
                "DEPLOYMENT_GROUP": names.deployment_group,
                "EVENT_SOURCE": names.deployment_guard,
                "HOOK": names.traffic_hook,
                "IS_TARGET": str(is_target).lower(),
                "RULES": self._rules(),
            },
        )
        self._invoke_on_deployments()
        self._invoke_on_tasks()

    def _invoke_on_deployments(self) -> None:
        self._rule(
            "Deployments",
            description="Checks each deployment when it starts",
            pattern=deployments_pattern(self._names, "START"),
        )

    def _invoke_on_tasks(self) -> None:
        """Invoke the function before a task runs, in case that the event of its deployment was lost."""
        names = self._names
        self._rule(
            "Tasks",
            description="Checks the deployment in progress when a task of the service starts",
            pattern=events.EventPattern(
                source=["aws.ecs"],
                detail_type=[TASK_EVENT],
                detail={
                    "clusterArn": [arn(self, "ecs", f"cluster/{names.cluster}")],
                    "group": [f"service:{names.service}"],
                    "lastStatus": ["PENDING"],
                },
            ),
        )

    def _rule(self, id_: str, *, description: str, pattern: events.EventPattern) -> None:
        name = self._names.qualified(f"deployment-guard-{id_.lower()}")
        rule = events.Rule(self, id_, rule_name=name, description=description, event_pattern=pattern)
        rule.add_target(targets.LambdaFunction(self.function))

    def _statements(self) -> list[iam.PolicyStatement]:
        names = self._names
        group = arn(self, "codedeploy", f"deploymentgroup:{names.application}/{names.deployment_group}")
        own_events = {"StringEquals": {"events:source": names.deployment_guard}}
        return [
            allow(
                "ReadTheDeployments",
                ["codedeploy:GetDeployment", "codedeploy:GetDeploymentGroup", "codedeploy:ListDeployments"],
                [group],
            ),
            allow(
                "ReadTheRevision",
                ["codedeploy:GetApplicationRevision"],
                [arn(self, "codedeploy", f"application:{names.application}")],
            ),
            # This action supports no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
            allow("ReadTheTaskDefinition", ["ecs:DescribeTaskDefinition"], ["*"]),
            # AWS's pages contradict each other about its resource: see tools/iam_docs/justifications.py.
            allow("StopTheDeployment", ["codedeploy:StopDeployment"], ["*"]),
            allow(
                "TellThatItWasRefused",
                ["events:PutEvents"],
                [arn(self, "events", "event-bus/default")],
                own_events,
            ),
        ]

    def _rules(self) -> str:
        """Return the platform's values as JSON: of its two files, without what a service decides."""
        names, account = self._names, Stack.of(self).account

        def role(name: str) -> str:
            return arn(self, "iam", f"role/{names.qualified(name)}", region=False)

        values = {
            "TASK_FAMILY": names.task_family,
            "TASK_ROLE_ARN": role("task-role"),
            "EXECUTION_ROLE_ARN": role("execution-role"),
            "TASK_LOG_GROUP": names.task_log_group,
            "AWS_REGION": REGION,
            "TEST_TRAFFIC_HOOK": names.traffic_hook,
        }
        definition = json.loads(_filled(TASK, values))
        (app,) = definition["containerDefinitions"]
        fixed = {key: value for key, value in app.items() if key not in FREE_OF_CONTAINER}
        images = f"{account}.dkr.ecr.{REGION}.amazonaws.com/{names.image_repository}"
        lines = _filled(APPSPEC, values).splitlines()
        rules = {
            "appspec": "\n".join(line for line in lines if not line.startswith("#")),
            "task": {key: definition[key] for key in ("family", "taskRoleArn", "executionRoleArn")},
            "container": {**fixed, "name": CONTAINER_NAME, "image": f"{images}@${{DIGEST}}"},
            "sidecar": {key: app[key] for key in OF_EVERY_CONTAINER},
            "sidecar_images": SIDECAR_IMAGES,
            "sidecar_fields": sorted(SIDECAR_FIELDS),
        }
        return json.dumps(rules, separators=(",", ":"))


def _filled(name: str, values: Mapping[str, str]) -> str:
    """Return a file of the platform; the placeholders of a service stay."""
    return string.Template((PROJECT / name).read_text("utf-8")).safe_substitute(values)
