"""Wrong calls of SNS and SQS."""

import json
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

INVALID = "InvalidParameter"
ARN = "arn:aws:sns:us-east-1:123456789012"
TOPIC = {"TopicArn": f"{ARN}:topic"}
SUBSCRIPTION = {"SubscriptionArn": "$subscription"}
NO_SUBSCRIPTION = f"{ARN}:topic:00000000-0000-0000-0000-000000000000"
NO_KEY = "00000000-0000-0000-0000-000000000000"
TAGS = [{"Key": "k", "Value": "v"}]
FILTER = json.dumps({"a": ["b"]})
MANY_TAGS = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]


def prepare_topics(account: Account) -> Mapping[str, Any]:
    """Create a topic with a subscription, and topics whose key is not usable."""
    client = account.client("sns")
    client.create_topic(Name="topic")
    kms = account.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    client.create_topic(Name="sealed", Attributes={"KmsMasterKeyId": key})
    for state, end in (("disabled", "disable_key"), ("deleted", "schedule_key_deletion")):
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        client.create_topic(Name=state, Attributes={"KmsMasterKeyId": key})
        getattr(kms, end)(KeyId=key)
    client.create_topic(Name="keyless", Attributes={"KmsMasterKeyId": NO_KEY})
    client.create_topic(Name="full")
    more: dict[str, str] = {}
    for number in range(201):
        endpoint = {"Protocol": "email", "Endpoint": f"a{number}@example.com"}
        policy = {"Attributes": {"FilterPolicy": FILTER}} if number else {}
        found = client.subscribe(TopicArn=f"{ARN}:full", **endpoint, **policy, ReturnSubscriptionArn=True)
        more.setdefault("unfiltered", found["SubscriptionArn"])
    queue = "arn:aws:sqs:us-east-1:123456789012:subscribed"
    account.client("sqs").create_queue(QueueName="subscribed")
    found = client.subscribe(**TOPIC, Protocol="sqs", Endpoint=queue, ReturnSubscriptionArn=True)
    return {**more, "subscription": found["SubscriptionArn"]}


TOPICS: Mapping[str, Mapping[str, Any]] = {
    "ConfirmSubscription": {**TOPIC, "Token": "0" * 64},
    "CreateTopic": {"Name": "new"},
    "DeleteTopic": TOPIC,
    "GetSubscriptionAttributes": SUBSCRIPTION,
    "GetTopicAttributes": TOPIC,
    "ListSubscriptions": {},
    "ListSubscriptionsByTopic": TOPIC,
    "ListTagsForResource": {"ResourceArn": f"{ARN}:topic"},
    "ListTopics": {},
    "Publish": {**TOPIC, "Message": "m"},
    "SetSubscriptionAttributes": {
        **SUBSCRIPTION,
        "AttributeName": "RawMessageDelivery",
        "AttributeValue": "true",
    },
    "SetTopicAttributes": {**TOPIC, "AttributeName": "DisplayName", "AttributeValue": "d"},
    "Subscribe": {**TOPIC, "Protocol": "email", "Endpoint": "a@example.com"},
    "TagResource": {"ResourceArn": f"{ARN}:topic", "Tags": TAGS},
    "Unsubscribe": SUBSCRIPTION,
    "UntagResource": {"ResourceArn": f"{ARN}:topic", "TagKeys": ["k"]},
}
WRONG_TOPICS = (
    Wrong("Name", "bad name!", INVALID),
    Wrong("TopicArn", "zz", INVALID),
    Wrong("TopicArn", f"{ARN}:nope", "NotFound", ("DeleteTopic",)),
    Wrong("TopicArn", f"{ARN}:disabled", "KMSDisabled"),
    Wrong("TopicArn", f"{ARN}:deleted", "KMSInvalidState"),
    Wrong("TopicArn", f"{ARN}:keyless", "KMSNotFound"),
    Wrong("ResourceArn", "zz", INVALID),
    Wrong("ResourceArn", f"{ARN}:nope", "ResourceNotFound"),
    Wrong("SubscriptionArn", "zz", INVALID),
    Wrong("SubscriptionArn", NO_SUBSCRIPTION, "NotFound"),
    Wrong("Protocol", "pigeon", INVALID),
    Wrong("Endpoint", "no address", INVALID),
    Wrong("AttributeName", "Nope", INVALID),
    Wrong("Message", "", INVALID),
    Wrong("Message", "m" * 262145, INVALID),
    Wrong("MessageAttributes", {"a": {"DataType": "String", "StringValue": ""}}, "ParameterValueInvalid"),
    Wrong("MessageAttributes", {"a": {"DataType": "Nope", "StringValue": "v"}}, "ParameterValueInvalid"),
    Wrong("Subject", "s" * 101, INVALID),
    Wrong("MessageStructure", "xml", INVALID),
    Wrong("Token", "zz", INVALID),
    Wrong("NextToken", "zz", INVALID),
    Wrong("Tags", MANY_TAGS, "TagLimitExceeded"),
    Wrong("Tags", [{"Key": "aws:k", "Value": "v"}], INVALID),
    Wrong("Tags", [*TAGS, *TAGS], INVALID),
    Wrong("TagKeys", ["aws:k"], INVALID),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    (
        "SetSubscriptionAttributes",
        {"SubscriptionArn": "$unfiltered", "AttributeName": "FilterPolicy", "AttributeValue": FILTER},
        "FilterPolicyLimitExceeded",
    ),
    (
        "Subscribe",
        {"TopicArn": f"{ARN}:full", "Attributes": {"FilterPolicy": FILTER}},
        "FilterPolicyLimitExceeded",
    ),
    ("SetTopicAttributes", {"AttributeName": "Policy", "AttributeValue": "zz"}, INVALID),
    ("SetSubscriptionAttributes", {"AttributeName": "FilterPolicy", "AttributeValue": "zz"}, INVALID),
)
SNS = Suite(
    "sns",
    tuple(TOPICS),
    TOPICS,
    WRONG_TOPICS,
    CHANGES,
    prepare_topics,
    INVALID,
    denied="AuthorizationError",
    old_signature="v2",
    keyless=(("Publish", {"TopicArn": f"{ARN}:sealed"}, "KMSAccessDenied"),),
)

SEALED = ("ReceiveMessage", "SendMessage")
QUEUE = {"QueueUrl": "$queue"}
NO_QUEUE = "QueueDoesNotExist"


def prepare_queues(account: Account) -> Mapping[str, Any]:
    """Create a queue, and queues whose key is not usable."""
    client, kms = account.client("sqs"), account.client("kms")
    keys = {name: kms.create_key()["KeyMetadata"]["KeyId"] for name in ("disabled", "deleted", "sealed")}
    keys["signing"] = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    sealed = {
        name: client.create_queue(QueueName=name, Attributes={"KmsMasterKeyId": key})["QueueUrl"]
        for name, key in {**keys, "keyless": NO_KEY}.items()
    }
    kms.disable_key(KeyId=keys["disabled"])
    kms.schedule_key_deletion(KeyId=keys["deleted"])
    url = str(client.create_queue(QueueName="queue")["QueueUrl"])
    return {**sealed, "queue": url, "nope": f"{url}-nope"}


QUEUES: Mapping[str, Mapping[str, Any]] = {
    "CreateQueue": {"QueueName": "new"},
    "DeleteMessage": {**QUEUE, "ReceiptHandle": "zz"},
    "DeleteQueue": QUEUE,
    "GetQueueAttributes": QUEUE,
    "GetQueueUrl": {"QueueName": "queue"},
    "ListQueues": {},
    "ListQueueTags": QUEUE,
    "PurgeQueue": QUEUE,
    "ReceiveMessage": QUEUE,
    "SendMessage": {**QUEUE, "MessageBody": "m"},
    "SetQueueAttributes": {**QUEUE, "Attributes": {"VisibilityTimeout": "1"}},
    "TagQueue": {**QUEUE, "Tags": {"k": "v"}},
    "UntagQueue": {**QUEUE, "TagKeys": ["k"]},
}
WRONG_QUEUES = (
    Wrong("QueueUrl", "$nope", NO_QUEUE),
    Wrong("QueueUrl", "zz", "InvalidAddress"),
    Wrong("QueueUrl", "$disabled", "KmsDisabled"),
    Wrong("QueueUrl", "$deleted", "KmsInvalidState"),
    Wrong("QueueUrl", "$keyless", "KmsNotFound"),
    Wrong("QueueUrl", "$signing", "KmsInvalidKeyUsage"),
    Wrong("QueueName", "nope", NO_QUEUE),
    Wrong("ReceiptHandle", "zz", "ReceiptHandleIsInvalid"),
    Wrong("MessageBody", "\x01", "InvalidMessageContents"),
    Wrong("Attributes", {"Nope": "1"}, "InvalidAttributeName"),
    Wrong("Attributes", {"VisibilityTimeout": "x"}, "InvalidAttributeValue"),
    Wrong("AttributeNames", ["Nope"], "InvalidAttributeName"),
)
QUEUE_CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("CreateQueue", {"QueueName": "queue", "Attributes": {"VisibilityTimeout": "7"}}, "QueueNameExists"),
    ("CreateQueue", {"Attributes": {"Policy": json.dumps("x")}}, "InvalidAttributeValue"),
)
SQS = Suite(
    "sqs",
    tuple(QUEUES),
    QUEUES,
    WRONG_QUEUES,
    QUEUE_CHANGES,
    prepare_queues,
    invalid="MissingParameter",
    old_signature="v3",
    keyless=tuple((name, {"QueueUrl": "$sealed"}, "KmsAccessDenied") for name in SEALED),
)
