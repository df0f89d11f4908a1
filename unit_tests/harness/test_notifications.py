"""What an environment tells of itself, heard: messages of its topic, events of its log."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.cloud import Cloud
from harness.notifications import LoggedEvent, subscribed, wait_for_logged_events
from operations.waiting import TimedOutError

TOPIC = "arn:aws:sns:us-east-1:123456789012:notifications-dev"


class Recorder:
    """Answers as SNS and SQS do, and notes what it was asked."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**_: Any) -> dict[str, Any]:
            self.asked.append(operation)
            if operation == "receive_message" and self.texts:
                body = json.dumps({"Message": self.texts.pop(0), "Timestamp": "2026-11-24T00:00:00.000Z"})
                return {"Messages": [{"Body": body, "ReceiptHandle": "r"}]}
            return {"QueueUrl": "queue", "SubscriptionArn": "subscription"}

        return call


def cloud(recorder: Recorder, *told: dict[str, Any]) -> Cloud:
    """A cloud whose waits end at once."""
    account = SimpleNamespace(
        region="us-east-1",
        id="123456789012",
        pages=lambda *_, **__: iter({"message": json.dumps(event)} for event in told),
    )
    seconds = 0.5
    return cast(
        Cloud,
        SimpleNamespace(client=lambda _: recorder, account=account, minutes=lambda *_, **__: seconds),
    )


def test_messages_are_heard_until_each_wanted_one_is_there() -> None:
    recorder = Recorder('"one"', '"two"', '"three"')
    with subscribed(cloud(recorder), TOPIC) as notifications:
        assert notifications.wait_for("one", "two") == ['"one"', '"two"', '"three"']
        assert len(notifications.timestamps) == 3
    assert recorder.asked[-2:] == ["unsubscribe", "delete_queue"]


def test_a_message_that_does_not_come_is_named_and_the_queue_goes_all_the_same() -> None:
    recorder = Recorder("one")
    with (
        pytest.raises(TimedOutError, match=r"no message with \['two'\]"),
        subscribed(cloud(recorder), TOPIC) as notifications,
    ):
        notifications.wait_for("one", "two")
    assert recorder.asked[-2:] == ["unsubscribe", "delete_queue"]


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
def test_an_event_is_read_in_its_services_words(
    kind: str, detail: dict[str, str], event: LoggedEvent
) -> None:
    told = {"detail-type": kind, "detail": detail}
    assert wait_for_logged_events(cloud(Recorder(), told), "group", bool) == {event}


def test_a_log_without_the_event_is_shown_as_it_is() -> None:
    told = {"detail-type": "CodeBuild Build State Change", "detail": {"build-status": "SUCCEEDED"}}
    with pytest.raises(TimedOutError, match="state='SUCCEEDED'"):
        wait_for_logged_events(
            cloud(Recorder(), told), "group", lambda found: LoggedEvent("Build", "FAILED") in found
        )
