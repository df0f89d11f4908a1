"""SNS as the road needs it: subscriptions wait for their confirmation, topics obey their policy."""

import json
from collections.abc import Mapping
from typing import Any

from local_aws.core.cloudformation import Properties, ResourceType
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.property_setters import complete

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

CONFIRMED_BY_PERSON = ("email", "email-json")
EVENTS = "events.amazonaws.com"
MANAGED_KEY = "alias/aws/sns"


def install(context: Context) -> None:
    """Make subscriptions and publications honest."""
    complete(
        "AWS::SNS::Topic",
        {"KmsMasterKeyId": lambda topic, value: _set_topic(context, topic, "KmsMasterKeyId", value)},
    )
    _own_only()
    subscribe = sns._subscribe
    sns._subscribe = lambda params: _subscribe(subscribe, params)
    for name in ("_list_subscriptions", "_list_subscriptions_by_topic"):
        setattr(sns, name, _hiding_pending(getattr(sns, name)))
    dispatch = eventbridge._dispatch_to_sns

    def checked(arn: str, payload: str) -> None:
        # No source: EventBridge names none to an encrypted topic.
        refusal = denial_reason(context, EVENTS, arn)
        if refusal:
            # EventBridge drops the event and counts a FailedInvocation; the warning makes it a fault.
            eventbridge.logger.warning("EventBridge → SNS %s refused: %s", arn, refusal)
            return
        dispatch(arn, payload)

    eventbridge._dispatch_to_sns = checked


def _own_only() -> None:
    """Give a topic AWS's default policy: it is for the owner's account, not for whoever comes.

    CloudWatch says whose alarm it is (`aws:SourceOwner`); EventBridge does not, and needs a statement.
    """
    handlers = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    original = handlers["AWS::SNS::Topic"]["create"]

    def create(logical_id: str, props: Mapping[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        arn, attributes = original(logical_id, props, stack)
        policy = json.loads(sns._topics[arn]["attributes"]["Policy"])
        policy["Statement"][0]["Condition"] = {"StringEquals": {"AWS:SourceOwner": arn.split(":")[4]}}
        sns._topics[arn]["attributes"]["Policy"] = json.dumps(policy)
        return arn, attributes

    handlers["AWS::SNS::Topic"] = {**handlers["AWS::SNS::Topic"], "create": create}


def resource_types(context: Context) -> dict[str, ResourceType]:
    """Return the subscription's type, over SNS's API: MiniStack's handler sends no confirmation."""

    def create(props: Properties, _logical_id: str, _stack: str) -> tuple[str, dict[str, Any]]:
        attributes = {key: _text(props[key]) for key in ATTRIBUTES if key in props}
        made = context.client("sns").subscribe(
            TopicArn=props["TopicArn"],
            Protocol=props["Protocol"],
            Endpoint=props["Endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        return made["SubscriptionArn"], {"Arn": made["SubscriptionArn"]}

    def update(physical_id: str, old: Properties, new: Properties) -> dict[str, Any]:
        for key in ATTRIBUTES:
            if old.get(key) != new.get(key):
                context.client("sns").set_subscription_attributes(
                    SubscriptionArn=physical_id, AttributeName=key, AttributeValue=_text(new.get(key, ""))
                )
        return {"Arn": physical_id}

    def delete(physical_id: str, props: Properties) -> None:
        # pitfall G3: CloudFormation skips a pending one and SNS forgets it by itself, here at once.
        context.client("sns").unsubscribe(SubscriptionArn=physical_id)

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
    """Say why a service may not publish to a topic, or None (pitfall G1: a CMK needs its own statement)."""
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
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html: its policy is AWS's.
        return f"the policy of AWS's own key {MANAGED_KEY} does not allow {service} kms:Decrypt"
    key = kms._resolve_key(key_id)
    if key is None:
        return f"the topic's key {key_id} does not exist"
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        if context.denial_reason(service, action, key["Arn"], source_arn):
            return f"the policy of the topic's key does not allow {service} {action}"
    return None


def _subscribe(original: Any, params: Mapping[str, Any]) -> Any:
    answer = original(params)
    if answer[0] != 200:
        return answer
    topic = sns._topics[sns._p(params, "TopicArn")]
    wanted = (sns._p(params, "Protocol"), sns._p(params, "Endpoint"))
    made = next(s for s in topic["subscriptions"] if (s["protocol"], s["endpoint"]) == wanted)
    if made["protocol"] in CONFIRMED_BY_PERSON and made["attributes"].get("PendingConfirmation") == "false":
        made["confirmed"] = False
        made["attributes"].update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")
        sns._refresh_subscription_counts(topic)
    whole = sns._p(params, "ReturnSubscriptionArn") == "true"
    shown = made["arn"] if whole or made["confirmed"] else "pending confirmation"
    body = answer[2] if isinstance(answer[2], bytes) else answer[2].encode()
    for other in (made["arn"], "pending confirmation"):
        body = body.replace(f">{other}<".encode(), f">{shown}<".encode())
    return answer[0], answer[1], body


def _hiding_pending(original: Any) -> Any:
    """Show `PendingConfirmation` where SNS does, instead of an ARN that is nobody's yet."""

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
