"""How many there are of what an operation creates, for its quota (`core.quotas`)."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.quotas import quota_error
from local_aws.ministack.compat import require
from local_aws.ministack.iam import iam
from local_aws.ministack.request_checks.rules import Error

logs = require("services.cloudwatch_logs", "_log_groups")
cloudwatch = require("services.cloudwatch", "_alarms")
functions = require("services.lambda_svc", "_functions")
sqs = require("services.sqs", "_queues")
sns = require("services.sns", "_topics")
ssm = require("services.ssm", "_parameters")

Params = Mapping[str, Any]


def _named(store: Any, member: str) -> Callable[[Params], int]:
    """Return the number of a store's records, or -1 for one that is there: nothing is created."""
    return lambda params: -1 if params.get(member) in store else len(store)


def _subscriptions(params: Params) -> int:
    topic = sns._topics.get(params.get("TopicArn")) or {}
    return len(topic.get("subscriptions", ()))


def _topics(params: Params) -> int:
    names = {arn.rpartition(":")[2] for arn in sns._topics}
    return -1 if params.get("Name") in names else len(names)


def _code_size(_: Params) -> int:
    """Return the bytes of the code of all functions and their versions."""
    found = [function["config"] for function in functions._functions.values()]
    found += [each["config"] for one in functions._functions.values() for each in one["versions"].values()]
    return sum(config.get("CodeSize", 0) for config in found)


def _in_flight(params: Params) -> int:
    """Return how many messages of a standard queue are in flight; -1 where SQS answers without an error.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
    """
    queue = sqs._queues.get(params.get("QueueUrl")) or {}
    if not queue or queue["is_fifo"] or params.get("WaitTimeSeconds"):
        return -1
    now = time.time()
    return sum(
        message.get("receive_count", 0) > 0 and message["visible_at"] > now for message in queue["messages"]
    )


# By service and operation.
COUNTS: Mapping[tuple[str, str], Callable[[Params], int]] = {
    ("cloudwatch", "PutMetricAlarm"): _named(cloudwatch._alarms, "AlarmName"),
    ("iam", "CreateOpenIDConnectProvider"): lambda _: len(iam._oidc_providers),
    ("iam", "CreateRole"): _named(iam._roles, "RoleName"),
    ("iam", "CreateUser"): _named(iam._users, "UserName"),
    ("lambda", "CreateFunction"): _code_size,
    ("lambda", "PublishVersion"): _code_size,
    ("lambda", "UpdateFunctionCode"): _code_size,
    ("logs", "CreateLogGroup"): _named(logs._log_groups, "logGroupName"),
    ("sns", "CreateTopic"): _topics,
    ("sns", "Subscribe"): _subscriptions,
    ("sqs", "ReceiveMessage"): _in_flight,
    ("ssm", "PutParameter"): _named(ssm._parameters, "Name"),
}


def count_error(service: str, operation: str, params: Params) -> Error | None:
    """Return the error for one resource more than the quota, or None."""
    count = COUNTS.get((service, operation))
    return None if count is None else quota_error(service, operation, count(params))
