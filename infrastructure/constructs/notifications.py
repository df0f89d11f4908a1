"""The topic, and the rules for failures of pipeline, builds, deployments and service, and for break-glass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Annotations, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infrastructure.config.notification_channel import EMAIL, is_placeholder
from infrastructure.config.settings import Config
from infrastructure.constructs.artifacts import create_key
from infrastructure.constructs.event_log import (
    BREAK_GLASS_USE,
    BUILD_EVENT,
    DEPLOYMENT_EVENT,
    DEPLOYMENT_REFUSED,
    PARAMETER_EVENT,
    PIPELINE_EVENT,
    STAGE_EVENT,
)
from infrastructure.constructs.roles import allow, arn, service_principal
from infrastructure.naming import CODE_CONSOLE, CONSOLE, REGION, Names
from infrastructure.warnings import PLACEHOLDER_EMAIL

SERVICE_EVENT = "ECS Service Action"


class Notifications(Construct):
    """The encrypted topic, its key, and the rules that publish to it."""

    def __init__(self, scope: Construct, id_: str, *, config: Config) -> None:
        super().__init__(scope, id_)
        self._names = names = config.names
        # EventBridge cannot publish with the AWS managed key, and fails silently (pitfall G1).
        self._key = create_key(
            self,
            "Key",
            alias=names.qualified("notifications"),
            description="Encrypts the notifications of failures",
        )
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=names.topic,
            display_name=names.topic,
            master_key=self._key,
            enforce_ssl=True,
        )
        self.topic.apply_removal_policy(RemovalPolicy.DESTROY)
        if config.notification_channel == EMAIL and config.notification_email:
            self._subscribe(config.notification_email)
        self._watch_pipeline(names)
        self._watch_build(names)
        self._watch_deployment(names)
        self._watch_service(names)
        self._watch_break_glass(names)

    def _subscribe(self, address: str) -> None:
        sns.Subscription(
            self,
            "Email",
            topic=self.topic,
            protocol=sns.SubscriptionProtocol.EMAIL,
            endpoint=address,
        )
        if is_placeholder(address):
            Annotations.of(self.topic).add_warning_v2(
                PLACEHOLDER_EMAIL,
                f"Nobody receives notifications of failures: notificationEmail is {address}, a placeholder. "
                'Set an address that someone reads, or "notificationChannel": "other"',
            )

    def publish_statements(self) -> list[iam.PolicyStatement]:
        """Return what a function of this environment needs to publish to the encrypted topic.

        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        """
        return [
            allow("TellTheTopic", ["sns:Publish"], [self.topic.topic_arn]),
            allow("EncryptTheMessage", ["kms:Decrypt", "kms:GenerateDataKey"], [self._key.key_arn]),
        ]

    def publish_alarms(self, alarms: Sequence[cloudwatch.Alarm]) -> None:
        """Publish when one of these alarms goes into ALARM.

        CloudWatch sends its alarm and its account, also to the key; EventBridge sends the key neither:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        """
        alarms_of_the_environment = arn(self, "cloudwatch", f"alarm:{self._names.qualified('*')}")
        self.topic.grant_publish(service_principal("cloudwatch", source_arn=alarms_of_the_environment))
        for alarm in alarms:
            alarm.add_alarm_action(cloudwatch_actions.SnsAction(self.topic))

    def _watch_pipeline(self, names: Names) -> None:
        run = events.EventField.from_path("$.detail.execution-id")
        state = events.EventField.from_path("$.detail.state")
        stage = events.EventField.from_path("$.detail.stage")
        pipeline = f"{CODE_CONSOLE}/codepipeline/pipelines/{names.pipeline}"
        link = f"{pipeline}/executions/{run}/timeline?region={REGION}"
        self._rule(
            "PipelineFailed",
            name=names.qualified("pipeline-failed"),
            sources=["aws.codepipeline"],
            detail_types=[PIPELINE_EVENT],
            detail={"pipeline": [names.pipeline], "state": ["FAILED", "STOPPED"]},
            text=f"Pipeline {names.pipeline} ended with {state} in execution {run}. See {link}",
        )
        # No rule for actions: the event of the stage already reports the failure.
        self._rule(
            "StageFailed",
            name=names.qualified("stage-failed"),
            sources=["aws.codepipeline"],
            detail_types=[STAGE_EVENT],
            detail={"pipeline": [names.pipeline], "state": ["FAILED"]},
            text=f"Stage {stage} of pipeline {names.pipeline} failed in execution {run}. "
            f"Why: {link} or the log group {names.event_log_group}",
        )

    def _watch_build(self, names: Names) -> None:
        build = events.EventField.from_path("$.detail.build-id")
        status = events.EventField.from_path("$.detail.build-status")
        log = events.EventField.from_path("$.detail.additional-information.logs.deep-link")
        self._rule(
            "BuildFailed",
            name=names.qualified("build-failed"),
            sources=["aws.codebuild"],
            detail_types=[BUILD_EVENT],
            detail={
                "project-name": [names.test_project, names.build_project],
                "build-status": ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"],
            },
            text=f"Build {build} ended with {status}. Its log: {log}",
        )

    def _watch_deployment(self, names: Names) -> None:
        deployment = events.EventField.from_path("$.detail.deploymentId")
        state = events.EventField.from_path("$.detail.state")
        link = f"{CODE_CONSOLE}/codedeploy/deployments/{deployment}?region={REGION}"
        self._rule(
            "DeploymentFailed",
            name=names.qualified("deployment-failed"),
            sources=["aws.codedeploy"],
            detail_types=[DEPLOYMENT_EVENT],
            detail={
                "application": [names.application],
                "deploymentGroup": [names.deployment_group],
                "state": ["FAILURE", "STOP"],
            },
            # There is no state for a rollback: it is a deployment that starts after this one has ended.
            text=f"Deployment {deployment} to {names.deployment_group} ended with {state}; "
            f"a rollback is a deployment of its own. See {link}",
        )

        outcome = events.EventField.from_path("$.detail.outcome")
        reason = events.EventField.from_path("$.detail.reason")
        self._rule(
            "DeploymentRefused",
            name=names.qualified("deployment-refused"),
            sources=[names.deployment_guard],
            detail_types=[DEPLOYMENT_REFUSED],
            detail={"deploymentGroup": [names.deployment_group]},
            text=f"Deployment {deployment} to {names.deployment_group} was refused, and {outcome}: {reason}. "
            f"See {link}",
        )

    def _watch_service(self, names: Names) -> None:
        """Report what the scheduler of the service cannot do: start or place tasks, for example.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html
        """
        event = events.EventField.from_path("$.detail.eventName")
        link = f"{CONSOLE}/ecs/v2/clusters/{names.cluster}/services/{names.service}/events?region={REGION}"
        self._rule(
            "ServiceImpaired",
            name=names.qualified("service-impaired"),
            sources=["aws.ecs"],
            detail_types=[SERVICE_EVENT],
            # The detail does not name the service.
            resources=[arn(self, "ecs", f"service/{names.cluster}/{names.service}")],
            detail={"eventType": ["WARN", "ERROR"]},
            text=f"ECS reports {event} for service {names.service}. See {link} "
            f"or the log group {names.task_log_group}",
        )

    def _watch_break_glass(self, names: Names) -> None:
        """Report every change of the parameter, and every release that uses it; the description says why."""
        operation = events.EventField.from_path("$.detail.operation")
        description = events.EventField.from_path("$.detail.description")
        self._rule(
            "BreakGlassChanged",
            name=names.qualified("break-glass-changed"),
            sources=["aws.ssm", names.traffic_hook],
            detail_types=[PARAMETER_EVENT, BREAK_GLASS_USE],
            detail={"name": [names.break_glass]},
            text=f"Break-glass of {names.suffix}: {operation} of the parameter {names.break_glass}. "
            f"{description}. CloudTrail has the caller, and the log group {names.event_log_group} the event",
        )

    def _rule(
        self,
        id_: str,
        *,
        name: str,
        sources: Sequence[str],
        detail_types: Sequence[str],
        detail: Mapping[str, Sequence[str]],
        text: str,
        resources: Sequence[str] | None = None,
    ) -> None:
        rule = events.Rule(
            self,
            id_,
            rule_name=name,
            event_pattern=events.EventPattern(
                source=sources, detail_type=detail_types, resources=resources, detail=detail
            ),
        )
        message = events.RuleTargetInput.from_text(text)
        rule.add_target(targets.SnsTopic(self.topic, message=message))
