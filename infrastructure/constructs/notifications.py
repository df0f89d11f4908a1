"""Who hears of a failure: an encrypted topic that the pipeline, the build and the release reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.artifacts import own_key
from infrastructure.constructs.event_log import BUILD_EVENT, DEPLOYMENT_EVENT, PIPELINE_EVENT, STAGE_EVENT
from infrastructure.naming import REGION, Names

_CONSOLE = f"https://{REGION}.console.aws.amazon.com/codesuite"


class Notifications(Construct):
    """The topic, its key, and the rules that feed it."""

    def __init__(self, scope: Construct, id_: str, *, config: Config, names: Names) -> None:
        super().__init__(scope, id_)
        # EventBridge cannot publish under AWS's own key; the failure would be silent (pitfall G1).
        key = own_key(
            self,
            "Key",
            alias=names.qualified("notifications"),
            description="Encrypts the notifications of failures",
        )
        self.topic = sns.Topic(
            self, "Topic", topic_name=names.topic, display_name=names.topic, master_key=key, enforce_ssl=True
        )
        self.topic.apply_removal_policy(RemovalPolicy.DESTROY)
        if config.notification_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.notification_email))
        self._watch_pipeline(names)
        self._watch_build(names)
        self._watch_deployment(names)

    def watch(self, alarms: Sequence[cloudwatch.Alarm]) -> None:
        """Publish when one of these alarms goes off."""
        self.topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        for alarm in alarms:
            alarm.add_alarm_action(cloudwatch_actions.SnsAction(self.topic))

    def _watch_pipeline(self, names: Names) -> None:
        run = events.EventField.from_path("$.detail.execution-id")
        state = events.EventField.from_path("$.detail.state")
        stage = events.EventField.from_path("$.detail.stage")
        link = f"{_CONSOLE}/codepipeline/pipelines/{names.pipeline}/executions/{run}/timeline?region={REGION}"
        self._rule(
            "PipelineFailed",
            name=names.qualified("pipeline-failed"),
            source="aws.codepipeline",
            detail_type=PIPELINE_EVENT,
            detail={"pipeline": [names.pipeline], "state": ["FAILED", "STOPPED"]},
            text=f"Pipeline {names.pipeline} ended with {state} in execution {run}. See {link}",
        )
        # Not the action's event as well: a stage has one action, and a failure has messages enough.
        self._rule(
            "StageFailed",
            name=names.qualified("stage-failed"),
            source="aws.codepipeline",
            detail_type=STAGE_EVENT,
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
            source="aws.codebuild",
            detail_type=BUILD_EVENT,
            detail={
                "project-name": [names.build_project],
                "build-status": ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"],
            },
            text=f"Build {build} ended with {status}. Its log: {log}",
        )

    def _watch_deployment(self, names: Names) -> None:
        deployment = events.EventField.from_path("$.detail.deploymentId")
        state = events.EventField.from_path("$.detail.state")
        link = f"{_CONSOLE}/codedeploy/deployments/{deployment}?region={REGION}"
        self._rule(
            "DeploymentFailed",
            name=names.qualified("deployment-failed"),
            source="aws.codedeploy",
            detail_type=DEPLOYMENT_EVENT,
            detail={
                "application": [names.application],
                "deploymentGroup": [names.deployment_group],
                "state": ["FAILURE", "STOP"],
            },
            # No state is called a rollback: on AWS it is a deployment that begins after this one has ended.
            text=f"Deployment {deployment} to {names.deployment_group} ended with {state}; "
            f"a rollback is a deployment of its own. See {link}",
        )

    def _rule(
        self,
        id_: str,
        *,
        name: str,
        source: str,
        detail_type: str,
        detail: Mapping[str, Sequence[str]],
        text: str,
    ) -> None:
        rule = events.Rule(
            self,
            id_,
            rule_name=name,
            event_pattern=events.EventPattern(source=[source], detail_type=[detail_type], detail=detail),
        )
        message = events.RuleTargetInput.from_text(text)
        rule.add_target(targets.SnsTopic(self.topic, message=message))
