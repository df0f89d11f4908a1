"""Receiving an environment's notifications and logged events."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.cloud import Cloud
from harness.notifications import LoggedEvent, subscribed, wait_for_logged_events
from harness.release import Release
from operations import unmanaged_resources
from operations.ownership import Ownership, Resource
from operations.waiting import TimedOutError

TOPIC = "arn:aws:sns:us-east-1:123456789012:notifications-dev"


class Recorder:
    """Responds as SNS and SQS do, and records the calls."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.calls: list[str] = []
        self.queues: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> dict[str, Any]:
            self.calls.append(operation)
            self.queues += [arguments["QueueName"]] if operation == "create_queue" else []
            if operation == "receive_message" and self.texts:
                body = json.dumps({"Message": self.texts.pop(0), "Timestamp": "2026-11-24T00:00:00.000Z"})
                return {"Messages": [{"Body": body, "ReceiptHandle": "r"}]}
            return {"QueueUrl": "queue", "SubscriptionArn": "subscription"}

        return call


def cloud(recorder: Recorder, *events: dict[str, Any]) -> Cloud:
    """Return a cloud with short deadlines."""
    account = SimpleNamespace(
        region="us-east-1",
        id="123456789012",
        pages=lambda *_, **__: iter({"message": json.dumps(event)} for event in events),
    )
    seconds = 0.5
    return cast(
        Cloud,
        SimpleNamespace(client=lambda _: recorder, account=account, minutes=lambda *_, **__: seconds),
    )


def test_messages_are_received_until_each_wanted_one_has_arrived() -> None:
    recorder = Recorder('"one"', '"two"', '"three"')
    with subscribed(cloud(recorder), TOPIC) as notifications:
        assert notifications.wait_for("one", "two") == ['"one"', '"two"', '"three"']
        assert len(notifications.timestamps) == 3
    assert recorder.calls[-2:] == ["unsubscribe", "delete_queue"]


def test_the_queue_that_an_interrupted_run_leaves_is_found_by_leftovers_and_by_destroy() -> None:
    """A queue of no environment's name stayed, and leftovers said 0."""
    recorder = Recorder()
    with subscribed(cloud(recorder), TOPIC):
        (name,) = recorder.queues
    url = f"https://sqs.us-east-1.amazonaws.com/123456789012/{name}"
    account: Any = SimpleNamespace(pages=lambda *_, **__: iter([url]))
    for suffix, count in (("dev", 1), ("dev-2", 0)):
        assert Ownership(suffix).owns(Resource("SQS queue", name)) == bool(count)
        assert len(list(unmanaged_resources._queues(suffix, account))) == count


def test_a_failed_release_has_three_messages() -> None:
    """Though one is delivered twice, as EventBridge and SQS may, and one of an older release is late."""
    stage, pipeline = "Stage Build failed in execution 2. Why: ...", "Pipeline ended in execution 2. See ..."
    late, build = "Stage Build failed in execution 1. Why: ...", "Build arn:aws:2 ended with FAILED"
    recorder = Recorder(late, stage, build, build, pipeline)
    failed = Release("a" * 40, "2", "Failed", build="arn:aws:2")
    with subscribed(cloud(recorder), TOPIC) as notifications:
        assert notifications.wait_for_failure(failed) == {stage, pipeline, build}


def test_a_missing_message_is_named_and_the_queue_is_deleted() -> None:
    recorder = Recorder("one")
    with (
        pytest.raises(TimedOutError, match=r"no message with \['two'\]"),
        subscribed(cloud(recorder), TOPIC) as notifications,
    ):
        notifications.wait_for("one", "two")
    assert recorder.calls[-2:] == ["unsubscribe", "delete_queue"]


@pytest.mark.parametrize(
    ("kind", "detail", "event"),
    [
        (
            "CodePipeline Stage Execution State Change",
            {"state": "FAILED", "stage": "Build", "execution-id": "1"},
            LoggedEvent("Stage", "FAILED", "Build", "1"),
        ),
        ("CodeBuild Build State Change", {"build-status": "FAILED"}, LoggedEvent("Build", "FAILED")),
        (
            "CodeDeploy Deployment State-change Notification",
            {"state": "SUCCESS", "deploymentId": "d-1"},
            LoggedEvent("Deployment", "SUCCESS", run="d-1"),
        ),
    ],
)
def test_an_event_of_each_service_is_parsed(kind: str, detail: dict[str, str], event: LoggedEvent) -> None:
    events = {"detail-type": kind, "detail": detail}
    assert wait_for_logged_events(cloud(Recorder(), events), "group", bool) == {event}


def test_a_log_without_the_event_is_part_of_the_error() -> None:
    events = {"detail-type": "CodeBuild Build State Change", "detail": {"build-status": "SUCCEEDED"}}
    with pytest.raises(TimedOutError, match="state='SUCCEEDED'"):
        wait_for_logged_events(
            cloud(Recorder(), events), "group", lambda found: LoggedEvent("Build", "FAILED") in found
        )
