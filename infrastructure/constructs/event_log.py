"""The event log: every event of the pipeline, its builds, its deployments and break-glass, for 30 days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.constructs.log_groups import create_log_group
from infrastructure.constructs.roles import allow, arn
from infrastructure.naming import Names

PIPELINE_EVENT = "CodePipeline Pipeline Execution State Change"
STAGE_EVENT = "CodePipeline Stage Execution State Change"
ACTION_EVENT = "CodePipeline Action Execution State Change"
BUILD_EVENT = "CodeBuild Build State Change"
DEPLOYMENT_EVENT = "CodeDeploy Deployment State-change Notification"
# Of Parameter Store itself, whoever changes the parameter; its detail has the description, not the value:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
PARAMETER_EVENT = "Parameter Store Change"
# Of the test-traffic hook, which sends it with its name as the source.
BREAK_GLASS_USE = "Break-Glass Use"
# Of the deployment guard, in the same way.
DEPLOYMENT_REFUSED = "Deployment Refused"

# Both are needed, or EventBridge silently drops the events:
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-cloudwatchlogs-permissions
WRITERS = ("events.amazonaws.com", "delivery.logs.amazonaws.com")


def deployments_pattern(names: Names, *states: str) -> events.EventPattern:
    """Return the pattern of CodeDeploy's events in which a deployment of the group gets one of the states."""
    return events.EventPattern(
        source=["aws.codedeploy"],
        detail_type=[DEPLOYMENT_EVENT],
        detail={
            "application": [names.application],
            "deploymentGroup": [names.deployment_group],
            "state": list(states),
        },
    )


class EventLog(Construct):
    """The log group, with a policy that allows EventBridge to write to it, and the rules.

    The policy is the group's own: of an account's policies, which the CDK's target for log groups creates, a
    region has ten (pitfalls A5, H1).
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names) -> None:
        super().__init__(scope, id_)
        self._arn = arn(self, "logs", f"log-group:{names.event_log_group}")
        self.group = create_log_group(self, "Group", name=names.event_log_group)
        self._rules: list[str] = []
        self._add_rule(
            "Pipeline",
            name=names.qualified("pipeline-events"),
            sources=["aws.codepipeline"],
            detail_types=[PIPELINE_EVENT, STAGE_EVENT, ACTION_EVENT],
            detail={"pipeline": [names.pipeline]},
        )
        self._add_rule(
            "Build",
            name=names.qualified("build-events"),
            sources=["aws.codebuild"],
            detail_types=[BUILD_EVENT],
            detail={"project-name": [names.test_project, names.build_project]},
        )
        self._add_rule(
            "Deployment",
            name=names.qualified("deployment-events"),
            sources=["aws.codedeploy", names.deployment_guard],
            detail_types=[DEPLOYMENT_EVENT, DEPLOYMENT_REFUSED],
            detail={"application": [names.application], "deploymentGroup": [names.deployment_group]},
        )
        self._add_rule(
            "BreakGlass",
            name=names.qualified("break-glass-events"),
            sources=["aws.ssm", names.traffic_hook],
            detail_types=[PARAMETER_EVENT, BREAK_GLASS_USE],
            detail={"name": [names.break_glass]},
        )
        self._allow_eventbridge()

    def _allow_eventbridge(self) -> None:
        # `:*` stands for the group's streams. A policy cannot refer to the group that it is part of.
        streams = [f"{self._arn}:*"]
        # Terraform's documentation has the rule as the source of an event, and no source of the stream:
        # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudwatch_event_target
        rules = [arn(self, "events", f"rule/{name}") for name in self._rules]
        of_own_rules = {"ArnEquals": {"aws:SourceArn": rules}}
        statements = [
            allow("CreateTheStream", ["logs:CreateLogStream"], streams),
            allow("WriteEvents", ["logs:PutLogEvents"], streams, of_own_rules),
        ]
        for statement in statements:
            for writer in WRITERS:
                statement.add_service_principal(writer)
        group = self.group.node.default_child
        if not isinstance(group, logs.CfnLogGroup):
            raise TypeError(
                f"{self.group.node.path} is no log group of CloudFormation: see the CDK's release notes"
            )
        group.resource_policy_document = iam.PolicyDocument(statements=statements)

    def _add_rule(
        self,
        id_: str,
        *,
        name: str,
        sources: Sequence[str],
        detail_types: Sequence[str],
        detail: Mapping[str, Sequence[str]],
    ) -> None:
        # Without the `:*` of the log group's ARN: with it, a rule deploys and delivers nothing:
        # https://github.com/aws-samples/serverless-patterns/pull/221
        rule = events.CfnRule(
            self,
            id_,
            name=name,
            description=f"Keeps the events of {' and '.join(sources)} in the event log",
            event_pattern={
                "source": list(sources),
                "detail-type": list(detail_types),
                "detail": dict(detail),
            },
            targets=[events.CfnRule.TargetProperty(arn=self._arn, id="EventLog")],
        )
        rule.node.add_dependency(self.group)
        self._rules.append(name)
