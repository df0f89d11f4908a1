"""Adds to SNS the confirmation of e-mail subscriptions, and the policies of topics and their keys."""

import json
from collections.abc import Mapping
from typing import Any

from local_aws.core.cloudformation import Properties, ResourceType
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import Created, patch_handler, resource_handlers
from local_aws.ministack.property_setters import add_property_setters

sns = require(
    "services.sns",
    "_list_subscriptions",
    "_list_subscriptions_by_topic",
    "_p",
    "_refresh_subscription_counts",
    "_subscribe",
    "_topics",
)
kms = require("services.kms", "_resolve_key")
eventbridge = require("services.eventbridge", "_dispatch_to_sns", "_invoke_target")

EMAIL_PROTOCOLS = ("email", "email-json")
EVENTS = "events.amazonaws.com"
TOPIC = "AWS::SNS::Topic"
MANAGED_KEY = "alias/aws/sns"


def patch_sns(context: Context) -> None:
    """Hide unconfirmed subscriptions, and let EventBridge publish only as topic and key policies allow."""
    add_property_setters(
        TOPIC,
        {"KmsMasterKeyId": lambda topic, value: _set_topic(context, topic, "KmsMasterKeyId", value)},
    )
    _patch_default_topic_policy()
    subscribe = sns._subscribe
    sns._subscribe = lambda params: _subscribe(subscribe, params)
    for name in ("_list_subscriptions", "_list_subscriptions_by_topic"):
        setattr(sns, name, _hide_pending(getattr(sns, name)))
    dispatch = eventbridge._dispatch_to_sns

    def checked(arn: str, payload: str) -> None:
        # EventBridge sends no source ARN to an encrypted topic.
        reason_denied = denial_reason(context, EVENTS, arn)
        if reason_denied:
            # EventBridge drops the event and counts a FailedInvocation. The warning is a background error.
            eventbridge.logger.warning("EventBridge → SNS %s refused: %s", arn, reason_denied)
            return
        dispatch(arn, payload)

    eventbridge._dispatch_to_sns = checked


def _patch_default_topic_policy() -> None:
    """Give topics AWS's default policy, which allows the owner's account only.

    CloudWatch sends the account of an alarm (`aws:SourceOwner`). EventBridge does not, and needs a statement.
    """
    original = resource_handlers()[TOPIC]["create"]

    def create(logical_id: str, props: Properties, stack: str) -> Created:
        arn, attributes = original(logical_id, props, stack)
        policy = json.loads(sns._topics[arn]["attributes"]["Policy"])
        policy["Statement"][0]["Condition"] = {"StringEquals": {"AWS:SourceOwner": arn.split(":")[4]}}
        sns._topics[arn]["attributes"]["Policy"] = json.dumps(policy)
        return arn, attributes

    patch_handler(TOPIC, create=create)


def resource_types(context: Context) -> dict[str, ResourceType]:
    """Return the type of subscriptions, on SNS's API: MiniStack's own handler sends no confirmation."""

    def create(props: Properties, _logical_id: str, _stack: str) -> Created:
        attributes = {key: _text(props[key]) for key in ATTRIBUTES if key in props}
        response = context.client("sns").subscribe(
            TopicArn=props["TopicArn"],
            Protocol=props["Protocol"],
            Endpoint=props["Endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        return response["SubscriptionArn"], {"Arn": response["SubscriptionArn"]}

    def update(physical_id: str, old: Properties, new: Properties) -> dict[str, Any]:
        for key in ATTRIBUTES:
            if old.get(key) != new.get(key):
                context.client("sns").set_subscription_attributes(
                    SubscriptionArn=physical_id, AttributeName=key, AttributeValue=_text(new.get(key, ""))
                )
        return {"Arn": physical_id}

    def delete(physical_id: str, props: Properties) -> None:
        # A pending one cannot be deleted (pitfall G3): it goes with its topic, or after 48 hours.
        # https://docs.aws.amazon.com/sns/latest/dg/sns-delete-subscription-topic.html
        client = context.client("sns")
        attributes = client.get_subscription_attributes(SubscriptionArn=physical_id)["Attributes"]
        if attributes["PendingConfirmation"] != "true":
            client.unsubscribe(SubscriptionArn=physical_id)

    replaced_by = frozenset({"TopicArn", "Protocol", "Endpoint"})
    return {"AWS::SNS::Subscription": ResourceType(create, delete, update, replaced_by)}


ATTRIBUTES = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "SubscriptionRoleArn",
)


def denial_reason(context: Context, service: str, topic_arn: str, source_arn: str = "") -> str | None:
    """Return why a service may not publish to a topic, or None (pitfall G1: a CMK needs a statement)."""
    topic = sns._topics.get(topic_arn)
    if topic is None:
        return None
    attributes = topic["attributes"]
    if context.denial_reason(service, "sns:Publish", topic_arn, source_arn):
        return f"the topic's policy does not allow {service} sns:Publish"
    key_id = attributes.get("KmsMasterKeyId")
    if not key_id:
        return None
    if str(key_id).endswith(MANAGED_KEY):
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html: AWS owns its policy.
        return f"the policy of AWS's own key {MANAGED_KEY} does not allow {service} kms:Decrypt"
    key = kms._resolve_key(key_id)
    if key is None:
        return f"the topic's key {key_id} does not exist"
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        if context.denial_reason(service, action, key["Arn"], source_arn):
            return f"the policy of the topic's key does not allow {service} {action}"
    return None


def _subscribe(original: Any, params: Mapping[str, Any]) -> Any:
    status, headers, content = original(params)
    if status != 200:
        return status, headers, content
    topic = sns._topics[sns._p(params, "TopicArn")]
    requested = (sns._p(params, "Protocol"), sns._p(params, "Endpoint"))
    subscription = next(
        each for each in topic["subscriptions"] if (each["protocol"], each["endpoint"]) == requested
    )
    _require_confirmation(topic, subscription)
    returns_arn = sns._p(params, "ReturnSubscriptionArn") == "true"
    shown = subscription["arn"] if returns_arn or subscription["confirmed"] else "pending confirmation"
    body = content if isinstance(content, bytes) else content.encode()
    for other in (subscription["arn"], "pending confirmation"):
        body = body.replace(f">{other}<".encode(), f">{shown}<".encode())
    return status, headers, body


def _require_confirmation(topic: Mapping[str, Any], subscription: dict[str, Any]) -> None:
    attributes = subscription["attributes"]
    if subscription["protocol"] in EMAIL_PROTOCOLS and attributes.get("PendingConfirmation") == "false":
        subscription["confirmed"] = False
        attributes.update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")
        sns._refresh_subscription_counts(topic)


def _hide_pending(original: Any) -> Any:
    """Show `PendingConfirmation` in place of the ARN, as SNS does."""

    def listed(params: Mapping[str, Any]) -> Any:
        status, headers, content = original(params)
        body = content if isinstance(content, bytes) else content.encode()
        for topic in list(sns._topics.values()):
            for subscription in topic["subscriptions"]:
                if not subscription.get("confirmed"):
                    tag = b"<SubscriptionArn>%s</SubscriptionArn>"
                    body = body.replace(tag % subscription["arn"].encode(), tag % b"PendingConfirmation")
        return status, headers, body

    return listed


def _set_topic(context: Context, topic: str, name: str, value: Any) -> None:
    context.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName=name, AttributeValue=_text(value or "")
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
