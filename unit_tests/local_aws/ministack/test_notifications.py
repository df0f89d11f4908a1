"""SNS delivers events as topic policies allow, and to confirmed subscriptions only."""

import json
import queue
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud, template

SECONDS = 10
ACCOUNT = "arn:aws:iam::123456789012:root"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    server = start(tmp_path_factory.mktemp("state"))
    yield Cloud(server)
    server.stop()


@pytest.fixture
def inbox() -> Iterator[tuple[str, "queue.Queue[dict[str, Any]]"]]:
    received: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", received
        server.shutdown()
        thread.join()


def allow(service: str, action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}


def subscribe(cloud: Cloud, topic: str, inbox: Any) -> None:
    """Subscribe a web server and confirm the subscription."""
    url, received = inbox
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
    confirmation = received.get(timeout=SECONDS)
    assert confirmation["Type"] == "SubscriptionConfirmation"
    with urllib.request.urlopen(confirmation["SubscribeURL"], timeout=SECONDS) as answer:  # noqa: S310 - loopback
        assert answer.status == 200


def send_event(cloud: Cloud, name: str, topic: str) -> None:
    events = cloud.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": topic}])
    events.put_events(Entries=[{"Source": name, "DetailType": "d", "Detail": '{"a": 1}'}])


def topic_with(cloud: Cloud, name: str, statements: list[dict[str, Any]]) -> str:
    sns = cloud.client("sns")
    topic = str(sns.create_topic(Name=name)["TopicArn"])
    policy = {"Version": "2012-10-17", "Statement": [{**s, "Resource": topic} for s in statements]}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
    return topic


def test_an_email_subscription_is_pending_until_its_confirmation(cloud: Cloud) -> None:
    """Before the confirmation, nothing is delivered (pitfall G3)."""
    subscription = {"Type": "AWS::SNS::Subscription", "Protocol": "email", "Endpoint": "a@example.com"}
    body = template(T={"Type": "AWS::SNS::Topic"}, S={**subscription, "TopicArn": {"Ref": "T"}})
    assert cloud.create("email", body) == "CREATE_COMPLETE"
    topic = cloud.physical("email", "T")
    shown = cloud.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [s["SubscriptionArn"] for s in shown] == ["PendingConfirmation"]
    counts = cloud.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (counts["SubscriptionsPending"], counts["SubscriptionsConfirmed"]) == ("1", "0")
    assert cloud.delete("email") == "DELETE_COMPLETE"
    assert cloud.client("sns").list_subscriptions()["Subscriptions"] == []


def test_a_pending_subscription_stays_when_its_resource_is_deleted_and_goes_with_its_topic(
    cloud: Cloud,
) -> None:
    """SNS deletes a confirmed one only (pitfall G3)."""
    address = {"Type": "AWS::SNS::Subscription", "Protocol": "email", "TopicArn": {"Ref": "T"}}
    topic = {"T": {"Type": "AWS::SNS::Topic"}}
    first = template(**topic, S={**address, "Endpoint": "first@example.com"})
    assert cloud.create("replaced", first) == "CREATE_COMPLETE"
    second = template(**topic, S={**address, "Endpoint": "second@example.com"})
    assert cloud.update("replaced", second) == "UPDATE_COMPLETE"
    sns = cloud.client("sns")
    endpoints = {each["Endpoint"] for each in sns.list_subscriptions()["Subscriptions"]}
    assert endpoints == {"first@example.com", "second@example.com"}
    assert cloud.delete("replaced") == "DELETE_COMPLETE"
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_an_email_subscription_by_the_api_is_pending_too(cloud: Cloud) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="pending")["TopicArn"]
    made = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    assert made["SubscriptionArn"] == "pending confirmation"


def test_an_event_reaches_a_confirmed_subscriber(cloud: Cloud, inbox: Any) -> None:
    topic = topic_with(cloud, "allowed", [allow("events.amazonaws.com", "sns:Publish", "")])
    subscribe(cloud, topic, inbox)
    send_event(cloud, "allowed", topic)
    assert json.loads(inbox[1].get(timeout=SECONDS)["Message"])["detail"] == {"a": 1}


def test_no_event_reaches_an_unconfirmed_subscriber(cloud: Cloud, inbox: Any) -> None:
    topic = topic_with(cloud, "unconfirmed", [allow("events.amazonaws.com", "sns:Publish", "")])
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=inbox[0])
    assert inbox[1].get(timeout=SECONDS)["Type"] == "SubscriptionConfirmation"
    send_event(cloud, "unconfirmed", topic)
    with pytest.raises(queue.Empty):
        inbox[1].get(timeout=1)


def test_a_topic_whose_policy_does_not_allow_eventbridge_gets_no_event_with_a_background_error(
    cloud: Cloud, inbox: Any
) -> None:
    topic = topic_with(cloud, "silent", [allow("cloudwatch.amazonaws.com", "sns:Publish", "")])
    subscribe(cloud, topic, inbox)
    send_event(cloud, "silent", topic)
    with pytest.raises(queue.Empty):
        inbox[1].get(timeout=1)
    assert any("silent refused" in fault for fault in cloud.server.background_errors())


def test_an_encrypted_topic_needs_its_keys_permission_too(cloud: Cloud) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    topic = topic_with(cloud, "encrypted", [allow("events.amazonaws.com", "sns:Publish", "")])
    cloud.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=key
    )
    send_event(cloud, "encrypted", topic)
    assert any("topic's key does not allow" in fault for fault in cloud.server.background_errors())


def test_the_aws_managed_key_allows_no_service_to_publish(cloud: Cloud) -> None:
    """AWS owns its policy, so it cannot allow EventBridge (pitfall G1)."""
    topic = topic_with(cloud, "managed", [allow("events.amazonaws.com", "sns:Publish", "")])
    cloud.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns"
    )
    send_event(cloud, "managed", topic)
    assert any(
        "AWS's own key alias/aws/sns does not allow" in fault for fault in cloud.server.background_errors()
    )
