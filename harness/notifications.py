"""What an environment tells of itself: the messages of its topic, and the events in its log."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.cloud import Cloud
from operations.waiting import NotYetError, wait_for

# AWS's minutes until a message or an event has arrived.
MINUTES = 5.0


@dataclass
class NotificationQueue:
    """A queue of our own that is subscribed to a topic."""

    cloud: Cloud
    queue: str
    messages: list[str] = field(default_factory=list)
    # When the topic was told each of them, in seconds since the epoch.
    moments: list[float] = field(default_factory=list)

    def wait_for(self, *wanted: str) -> list[str]:
        """Return all messages once each text of `wanted` stands in one of them."""

        def look() -> list[str]:
            self.receive(wait=1)
            missing = [text for text in wanted if not any(text in message for message in self.messages)]
            if missing:
                raise NotYetError(f"no message with {missing} among {self.messages}")
            return self.messages

        return wait_for("messages of the topic", look, deadline=self.cloud.minutes(MINUTES, own=1))

    def receive(self, wait: int = 0) -> None:
        """Take what has arrived, waiting so many seconds for the first of it."""
        sqs = self.cloud.client("sqs")
        while True:
            answer = sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait)
            for message in answer.get("Messages", []):
                told = json.loads(message["Body"])
                self.messages.append(str(told["Message"]))
                self.moments.append(datetime.fromisoformat(told["Timestamp"]).timestamp())
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            if not answer.get("Messages"):
                return
            wait = 0


@contextmanager
def listening(cloud: Cloud, topic: str) -> Iterator[NotificationQueue]:
    """Subscribe a new queue to `topic`, and take both away in the end."""
    sqs, sns = cloud.client("sqs"), cloud.client("sns")
    name = f"inbox-{uuid.uuid4().hex[:8]}-of-{topic.rpartition(':')[2]}"
    arn = f"arn:aws:sqs:{cloud.account.region}:{cloud.account.id}:{name}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queue = sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    try:
        made = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
        try:
            yield NotificationQueue(cloud, queue)
        finally:
            sns.unsubscribe(SubscriptionArn=made["SubscriptionArn"])
    finally:
        sqs.delete_queue(QueueUrl=queue)


@dataclass(frozen=True)
class Event:
    """One event of the log: of a Pipeline, Stage, Action, Build or Deployment, in which run or deployment."""

    kind: str
    state: str
    where: str = ""
    run: str = ""


def logged(cloud: Cloud, group: str, enough: Callable[[set[Event]], bool]) -> set[Event]:
    """Return the events in log group `group`, once there are `enough`."""

    def look() -> set[Event]:
        pages = cloud.account.pages("logs", "filter_log_events", "events", logGroupName=group)
        found = {_event(json.loads(line["message"])) for line in pages}
        if not enough(found):
            raise NotYetError(f"{len(found)} events: {found}")
        return found

    return wait_for(f"events in {group}", look, deadline=cloud.minutes(MINUTES, own=1))


def _event(told: dict[str, Any]) -> Event:
    detail = told["detail"]
    return Event(
        # `CodePipeline Stage Execution State Change` is a Stage's, `CodeBuild Build State Change` a Build's.
        told["detail-type"].split()[1],
        detail.get("state") or detail.get("build-status", ""),
        detail.get("action") or detail.get("stage", ""),
        detail.get("execution-id") or detail.get("deploymentId", ""),
    )
