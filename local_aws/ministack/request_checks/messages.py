"""What SNS and SQS refuse.

https://docs.aws.amazon.com/sns/latest/api/API_Operations.html (Errors)
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html (Errors)
"""

import json
from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require
from local_aws.ministack.request_checks import keys
from local_aws.ministack.request_checks.rules import Checks, Rule, Test, other_than, some, unlike
from local_aws.ministack.request_checks.tags import TagCodes

INVALID = "InvalidParameter"
TOPIC_ARN = r"arn:aws[\w-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?"
PROTOCOLS = (*("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"),)
TAG_OPERATIONS = ("ListTagsForResource", "TagResource", "UntagResource")
# https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
TOPIC_ATTRIBUTES = (
    *("ArchivePolicy", "ContentBasedDeduplication", "DeliveryPolicy", "DisplayName", "FifoThroughputScope"),
    *("KmsMasterKeyId", "Policy", "SignatureVersion", "TracingConfig", "DataProtectionPolicy"),
    *(
        f"{protocol}{kind}"
        for protocol in ("Application", "Firehose", "HTTP", "Lambda", "SQS")
        for kind in ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
    ),
)
# https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
SUBSCRIPTION_ATTRIBUTES = (
    *("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"),
    *("ReplayPolicy", "SubscriptionRoleArn"),
)
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
KEY_CODES = {"": "KMSNotFound", "Disabled": "KMSDisabled", "PendingDeletion": "KMSInvalidState"}
LARGEST_MESSAGE = 262144
# "ASCII text that begins with a letter, number, or punctuation mark; must not include line breaks or control
# characters; and must be less than 100 characters long"
SUBJECT = r"[!-~][ -~]{0,98}"

sns = require("services.sns", "_sub_arn_to_topic", "_topics")
sqs = require("services.sqs", "_queues")
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
QUEUE_KEY_CODES = {"": "KmsNotFound", "Disabled": "KmsDisabled", "PendingDeletion": "KmsInvalidState"}
# https://docs.aws.amazon.com/general/latest/gr/sns.html#limits_sns_resource
FILTERED = 200


def _invalid(member: str, test: Test, reason: str, *operations: str) -> Rule:
    return Rule(member, test, INVALID, f"Invalid parameter: {member} Reason: {reason}", operations)


def _is_no_address(params: Mapping[str, Any]) -> bool:
    endpoint = str(params.get("Endpoint", ""))
    return params.get("Protocol") in ("email", "email-json") and "@" not in endpoint


def _key_of(store: Any, name: str) -> str:
    """Return the key of a topic or a queue, or nothing."""
    return str((store.get(name) or {}).get("attributes", {}).get("KmsMasterKeyId") or "")


def _key_is(state: str) -> Test:
    """Return a test for a topic whose key has a state; a key that does not exist has none."""
    return lambda arn: keys.is_in_state(_key_of(sns._topics, arn), state)


def _queue_key_is(state: str) -> Test:
    return lambda url: keys.is_in_state(_key_of(sqs._queues, url), state)


def _has_signing_key(url: str) -> bool:
    return keys.cannot_encrypt(_key_of(sqs._queues, url))


def _is_filtered(subscription: Mapping[str, Any]) -> bool:
    return bool(subscription["attributes"].get("FilterPolicy"))


def _has_wrong_filter(params: Mapping[str, Any]) -> bool:
    """Return whether a request sets a filter policy that is none; an empty text removes the policy.

    https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
    """
    attributes = {params.get("AttributeName"): params.get("AttributeValue"), **params.get("Attributes", {})}
    text = attributes.get("FilterPolicy")
    try:
        policy = json.loads(text or "{}")
    except ValueError:
        return True
    return not isinstance(policy, dict) or not all(isinstance(each, list | dict) for each in policy.values())


def _has_too_many_filters(params: Mapping[str, Any]) -> bool:
    """Return whether a request adds a filter policy to a topic that has as many as it can have."""
    arn = params.get("SubscriptionArn", "")
    adds = params.get("AttributeName") == "FilterPolicy" or "FilterPolicy" in params.get("Attributes", {})
    topic = sns._topics.get(params.get("TopicArn") or sns._sub_arn_to_topic.get(arn, "")) or {}
    filtered = [each["arn"] for each in topic.get("subscriptions", []) if _is_filtered(each)]
    return adds and arn not in filtered and len(filtered) >= FILTERED


def _is_no_attribute(attribute: Mapping[str, Any]) -> bool:
    """Return whether a message attribute has an unknown type, or no value of its type.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
    """
    kind = str(attribute.get("DataType", "")).partition(".")[0]
    member = {"String": "StringValue", "Number": "StringValue", "Binary": "BinaryValue"}.get(kind)
    return member is None or not attribute.get(member)


TOPICS = Checks(
    invalid=INVALID,
    forms=(
        _invalid("Protocol", other_than(*PROTOCOLS), "Does not support this protocol string: {}"),
        Rule("", _is_no_address, INVALID, "Invalid parameter: Email address", ("Subscribe",)),
        Rule(
            "",
            _has_wrong_filter,
            INVALID,
            "Invalid parameter: FilterPolicy: failed to parse JSON, or a key without an object or an array.",
            ("SetSubscriptionAttributes", "Subscribe"),
        ),
    ),
    states=(
        _invalid("Name", unlike(r"[\w-]{1,256}|[\w-]{1,251}\.fifo"), "Topic Name", "CreateTopic"),
        _invalid("TopicArn", unlike(TOPIC_ARN), "An ARN must have at least 6 elements, not {}"),
        _invalid("ResourceArn", unlike(TOPIC_ARN), "An ARN must have at least 6 elements, not {}"),
        _invalid(
            "SubscriptionArn",
            unlike(f"{TOPIC_ARN}:[0-9a-f-]+|PendingConfirmation"),
            "An ARN must have at least 6 elements, not {}",
        ),
        Rule(
            "ResourceArn",
            lambda arn: arn not in sns._topics,
            "ResourceNotFound",
            "Resource does not exist",
            TAG_OPERATIONS,
        ),
        Rule(
            "SubscriptionArn",
            lambda arn: arn not in sns._sub_arn_to_topic,
            "NotFound",
            "Subscription does not exist",
        ),
        *(
            Rule("TopicArn", _key_is(state), code, "The key of the topic is not usable.", ("Publish",))
            for state, code in KEY_CODES.items()
        ),
        Rule(
            "",
            _has_too_many_filters,
            "FilterPolicyLimitExceeded",
            f"A topic can have at most {FILTERED} filter policies",
            ("SetSubscriptionAttributes", "Subscribe"),
        ),
        _invalid("AttributeName", other_than(*TOPIC_ATTRIBUTES), "{}", "SetTopicAttributes"),
        _invalid("AttributeName", other_than(*SUBSCRIPTION_ATTRIBUTES), "{}", "SetSubscriptionAttributes"),
        _invalid("Message", lambda text: not text, "Empty message"),
        _invalid("Message", lambda text: len(str(text).encode()) > LARGEST_MESSAGE, "Message too long"),
        # The code: localstack/localstack#6938.
        Rule(
            "MessageAttributes",
            lambda attributes: any(map(_is_no_attribute, attributes.values())),
            "ParameterValueInvalid",
            "A message attribute must have a type of the prefix Binary, Number or String, and a non-empty "
            "value of that type.",
            ("Publish",),
        ),
        _invalid("Subject", unlike(SUBJECT), "Subject"),
        _invalid("MessageStructure", other_than("json"), "{}"),
        _invalid("Token", unlike(r".{32,}"), "Invalid token", "ConfirmSubscription"),
        _invalid("NextToken", unlike(r"\d*"), "{}"),
    ),
    tags=TagCodes(INVALID, too_many="TagLimitExceeded", duplicate=INVALID),
    renamed={
        "InvalidParameterException": INVALID,
        "InvalidParameterValueException": INVALID,
        "ResourceNotFoundException": "ResourceNotFound",
    },
)
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
QUEUE_ATTRIBUTES = (
    *("DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "Policy", "RedrivePolicy"),
    *("ReceiveMessageWaitTimeSeconds", "VisibilityTimeout", "RedriveAllowPolicy", "KmsMasterKeyId"),
    *("KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "FifoQueue", "ContentBasedDeduplication"),
    *("DeduplicationScope", "FifoThroughputLimit"),
)
READ_ATTRIBUTES = (
    *("All", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "CreatedTimestamp"),
    *("ApproximateNumberOfMessagesNotVisible", "LastModifiedTimestamp", "QueueArn", *QUEUE_ATTRIBUTES),
)
UNKNOWN = "Unknown Attribute."
ENCRYPTED = ("ReceiveMessage", "SendMessage")
QUEUES = Checks(
    invalid="InvalidParameterValue",
    missing="MissingParameter",
    forms=(
        Rule(
            "QueueUrl",
            unlike(r"https?://.+/\d{12}/[\w-]+(\.fifo)?"),
            "InvalidAddress",
            "The address {} is not valid for this endpoint.",
        ),
        Rule("Attributes", some(other_than(*QUEUE_ATTRIBUTES)), "InvalidAttributeName", UNKNOWN),
        Rule(
            "AttributeNames",
            some(other_than(*READ_ATTRIBUTES)),
            "InvalidAttributeName",
            UNKNOWN,
            ("GetQueueAttributes",),
        ),
    ),
    states=(
        *(
            Rule("QueueUrl", _queue_key_is(state), code, "The key of the queue is not usable.", ENCRYPTED)
            for state, code in QUEUE_KEY_CODES.items()
        ),
        Rule(
            "QueueUrl",
            _has_signing_key,
            "KmsInvalidKeyUsage",
            "The key usage must be ENCRYPT_DECRYPT and the key spec SYMMETRIC_DEFAULT.",
            ENCRYPTED,
        ),
    ),
    tags=TagCodes("InvalidParameterValue"),
)
