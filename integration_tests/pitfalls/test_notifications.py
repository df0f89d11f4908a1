"""Traps of the messages: who may publish under which key, and who hears."""

from pathlib import Path

from harness.cloud import Cloud
from harness.local import local_cloud, start_local_aws
from harness.notifications import subscribed
from integration_tests.pitfalls.pipelines import pipeline_of, source
from integration_tests.pitfalls.stacks import CREATED, stack
from integration_tests.pitfalls.synthesized_templates import Resources, synthesized
from operations.waiting import NotYetError, wait_for


def failing(cloud: Cloud) -> Resources:
    """Return the shipped road to a Source stage that fails, and the rule that tells of it."""
    notices = synthesized(cloud).part(
        "PipelineNotificationsPipelineFailed", "PipelineNotificationsTopicPolicy"
    )
    resources = {**source(cloud), **notices}
    del resources["PipelineRepository"]["Properties"]["Code"]
    return resources


def test_a_topic_with_the_shipped_key_tells_of_a_failure(cloud: Cloud) -> None:
    """pitfall G1: the key's policy lets EventBridge use it."""
    with pipeline_of(cloud, failing(cloud)) as (made, pipeline):
        topic = f"arn:aws:sns:us-east-1:{cloud.account.id}:{made.named('notifications-the-suffix')}"
        with subscribed(cloud, topic) as notifications:
            run = pipeline.start()
            notifications.wait_for(f"Pipeline {pipeline.name} ended with FAILED in execution {run}")


def test_a_topic_with_awss_own_key_loses_the_event_without_a_word(cloud: Cloud, tmp_path: Path) -> None:
    """pitfall G1: nobody is told, on AWS as here; local_aws keeps it as a fault that ends a run.

    So this has a local_aws of its own.
    """
    synthesized(cloud)
    running = start_local_aws(tmp_path / "local_aws")
    try:
        alone = local_cloud(running, tmp_path)
        resources = failing(alone)
        resources["PipelineNotificationsTopic"]["Properties"]["KmsMasterKeyId"] = "alias/aws/sns"
        with pipeline_of(alone, resources) as (made, pipeline):
            topic = f"arn:aws:sns:us-east-1:{alone.account.id}:{made.named('notifications-the-suffix')}"
            with subscribed(alone, topic) as notifications:
                assert pipeline.outcome("Source", pipeline.start()).status == "Failed"

                def look() -> None:
                    if not (lost := running.background_errors()):
                        raise NotYetError(str(lost))

                wait_for("the lost event", look, deadline=60, interval=0.2)
                notifications.receive()
                assert notifications.messages == []
    finally:
        faults = running.stop()
    assert faults
    for fault in faults:
        assert "does not allow events.amazonaws.com kms:Decrypt" in fault


def test_an_address_that_did_not_confirm_hears_nothing_and_holds_nothing(cloud: Cloud) -> None:
    """pitfall G3: it is pending, and the stack goes without it."""
    resources = synthesized(cloud).part("PipelineNotificationsTopic")
    address = {
        "Protocol": "email",
        "Endpoint": "team@example.com",
        "TopicArn": {"Ref": "PipelineNotificationsTopic"},
    }
    resources["Email"] = {"Type": "AWS::SNS::Subscription", "Properties": address}
    with stack(cloud, resources) as made:
        assert made.settled() == CREATED, made.failures()
        arn = f"arn:aws:sns:us-east-1:{cloud.account.id}:{made.named('notifications-the-suffix')}"
        sns = cloud.client("sns")
        (subscription,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        assert subscription["SubscriptionArn"] == "PendingConfirmation"
        assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsConfirmed"] == "0"
