"""Pitfalls of notifications: the topic's key, and unconfirmed subscriptions."""

from copy import deepcopy
from pathlib import Path

from harness.cloud import Cloud
from harness.local import local_cloud, start_local_aws
from harness.notifications import subscribed
from harness.stacks import CREATED, temporary_stack
from harness.synthesized_app import Resources, synthesized
from integration_tests.pitfalls.alarms import wait_for_alarm
from integration_tests.pitfalls.pipelines import pipeline_of, source
from operations.preflight import setting_checks
from operations.preflight.check import Subject, Verdict
from operations.waiting import NotYetError, wait_for


def failing(cloud: Cloud) -> Resources:
    """Return a pipeline whose Source stage fails, and the rule that sends a notification of it."""
    rule = synthesized(cloud).part("PipelineNotificationsPipelineFailed", "PipelineNotificationsTopicPolicy")
    resources = {**source(cloud), **rule}
    del resources["PipelineRepository"]["Properties"]["Code"]
    return resources


def lost_events_alarm(cloud: Cloud) -> Resources:
    """Return the alarm on failed invocations, for the rule of `failing` alone and without a topic."""
    alarm = deepcopy(synthesized(cloud).resources["PipelineFailedInvocations1"])
    properties = alarm["Properties"]
    del properties["AlarmActions"]
    rule = {"Ref": "PipelineNotificationsPipelineFailed"}
    properties["Metrics"] = [
        query
        for query in properties["Metrics"]
        if "Expression" in query or query["MetricStat"]["Metric"]["Dimensions"][0]["Value"] == rule
    ]
    assert len(properties["Metrics"]) == 2
    return {"Alarm": {**alarm, "DependsOn": []}}


def test_a_topic_with_the_stacks_key_gets_the_failure(cloud: Cloud) -> None:
    """pitfall G1: the key's policy lets EventBridge use it."""
    with pipeline_of(cloud, failing(cloud)) as (stack, pipeline):
        topic = f"arn:aws:sns:us-east-1:{cloud.account.id}:{stack.physical_name('notifications-the-suffix')}"
        with subscribed(cloud, topic) as notifications:
            run = pipeline.start()
            notifications.wait_for(f"Pipeline {pipeline.name} ended with FAILED in execution {run}")


def test_a_topic_with_an_aws_managed_key_loses_the_event_silently(cloud: Cloud, tmp_path: Path) -> None:
    """pitfalls G1, G5: no notification is sent, and only a metric counts it, which the stack's alarm watches.

    local_aws also reports it as a background error, so this test has a local_aws of its own.
    """
    synthesized(cloud)
    server = start_local_aws(tmp_path / "local_aws")
    try:
        alone = local_cloud(server, tmp_path)
        resources = {**failing(alone), **lost_events_alarm(alone)}
        resources["PipelineNotificationsTopic"]["Properties"]["KmsMasterKeyId"] = "alias/aws/sns"
        with pipeline_of(alone, resources) as (stack, pipeline):
            topic = (
                f"arn:aws:sns:us-east-1:{alone.account.id}:{stack.physical_name('notifications-the-suffix')}"
            )
            with subscribed(alone, topic) as notifications:
                assert pipeline.outcome("Source", pipeline.start()).status == "Failed"

                def look() -> None:
                    if not (lost := server.background_errors()):
                        raise NotYetError(str(lost))

                wait_for("the lost event", look, deadline=60, interval=0.2)
                wait_for_alarm(alone, stack.physical_name("failed-invocations-1-the-suffix"))
                notifications.receive()
                assert notifications.messages == []
    finally:
        errors = server.stop()
    assert errors
    for error in errors:
        assert "does not allow events.amazonaws.com kms:Decrypt" in error


def test_an_unconfirmed_address_gets_nothing_and_does_not_block_the_deletion(cloud: Cloud) -> None:
    """pitfall G3: the subscription stays pending, and the stack is deleted without it."""
    with temporary_stack(cloud, synthesized(cloud).part("PipelineNotificationsEmail")) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        arn = f"arn:aws:sns:us-east-1:{cloud.account.id}:{stack.physical_name('notifications-the-suffix')}"
        sns = cloud.client("sns")
        (subscription,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        assert subscription["SubscriptionArn"] == "PendingConfirmation"
        assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsConfirmed"] == "0"
    assert stack.suffix not in str(sns.list_subscriptions()["Subscriptions"])


def test_the_shipped_address_belongs_to_nobody_and_preflight_says_so(cloud: Cloud) -> None:
    """pitfall G4: the topic has a subscription, which nobody can confirm."""
    email = synthesized(cloud).part("PipelineNotificationsEmail")
    address = email["PipelineNotificationsEmail"]["Properties"]["Endpoint"]
    assert address.endswith("@example.com")
    with temporary_stack(cloud, email) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        (check,) = setting_checks.notifications(Subject(stack.suffix, cloud.account))
        assert (check.verdict, check.found) == (Verdict.WARNING, f"{address} is a placeholder")
