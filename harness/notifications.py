"""The messages of an environment's topic, and the events in its event log."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.cloud import Cloud
from harness.release import Release
from operations.waiting import NotYetError, wait_for

# AWS's minutes in which a message or an event arrives.
MINUTES = 5.0
QUEUE_SID = "LetTheTopicSend"


@dataclass
class NotificationQueue:
    """An SQS queue that is subscribed to a topic; `timestamps` are seconds since the epoch, one a message."""

    cloud: Cloud
    queue: str
    messages: list[str] = field(default_factory=list)
    timestamps: list[float] = field(default_factory=list)

    def wait_for(self, *wanted: str) -> list[str]:
        """Return all messages, once each text of `wanted` is part of one of them."""

        def look() -> list[str]:
            self.receive(wait=1)
            missing = [text for text in wanted if not any(text in message for message in self.messages)]
            if missing:
                raise NotYetError(f"no message with {missing} among {self.messages}")
            return self.messages

        return wait_for("messages of the topic", look, deadline=self.cloud.minutes(MINUTES, own=1))

    def wait_for_failure(self, release: Release, *more: str) -> set[str]:
        """Wait for the notifications of a failed release, and for `more`; return those of the release.

        They are three: of the pipeline, of its stage, and of the build or the deployment. Each is returned
        once, because EventBridge and SQS may deliver one twice, and none of an earlier release, which may be
        late. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-what-is-how-it-works-concepts.html
        """
        execution = f"execution {release.execution}."
        work = f"Deployment {release.deployment} to" if release.deployment else f"{release.build} ended with"
        messages = self.wait_for(f"{execution} See", f"{execution} Why", work, *more)
        return {message for message in messages if execution in message or work in message}

    def receive(self, wait: int = 0) -> None:
        """Receive what has arrived; wait up to `wait` seconds for the first message."""
        sqs = self.cloud.client("sqs")
        while True:
            answer = sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait)
            for message in answer.get("Messages", []):
                body = json.loads(message["Body"])
                self.messages.append(str(body["Message"]))
                self.timestamps.append(datetime.fromisoformat(body["Timestamp"]).timestamp())
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            if not answer.get("Messages"):
                return
            wait = 0


@contextmanager
def subscribed(cloud: Cloud, topic: str) -> Iterator[NotificationQueue]:
    """Subscribe a new queue to `topic` while the context is open."""
    sqs, sns = cloud.client("sqs"), cloud.client("sns")
    name = f"queue-{uuid.uuid4().hex[:8]}-of-{topic.rpartition(':')[2]}"
    arn = f"arn:aws:sqs:{cloud.account.region}:{cloud.account.id}:{name}"
    statement = {
        "Sid": QUEUE_SID,
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    # `operations leftovers` and `destroy` find it by its name, should this process be killed.
    queue = sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    try:
        subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
        try:
            yield NotificationQueue(cloud, queue)
        finally:
            sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    finally:
        sqs.delete_queue(QueueUrl=queue)


@dataclass(frozen=True)
class LoggedEvent:
    """An event: `kind` is Pipeline, Stage, Action, Build or Deployment, `run` an execution or deployment."""

    kind: str
    state: str
    name: str = ""
    run: str = ""


def wait_for_logged_events(
    cloud: Cloud, group: str, enough: Callable[[set[LoggedEvent]], bool]
) -> set[LoggedEvent]:
    """Return the events in log group `group`, once `enough` returns true for them."""

    def look() -> set[LoggedEvent]:
        pages = cloud.account.pages("logs", "filter_log_events", "events", logGroupName=group)
        found = {_event(json.loads(line["message"])) for line in pages}
        if not enough(found):
            raise NotYetError(f"{len(found)} events: {found}")
        return found

    return wait_for(f"events in {group}", look, deadline=cloud.minutes(MINUTES, own=1))


def _event(event: dict[str, Any]) -> LoggedEvent:
    detail = event["detail"]
    return LoggedEvent(
        # For example `CodePipeline Stage Execution State Change` and `CodeBuild Build State Change`.
        event["detail-type"].split()[1],
        detail.get("state") or detail.get("build-status", ""),
        detail.get("action") or detail.get("stage", ""),
        detail.get("execution-id") or detail.get("deploymentId", ""),
    )
