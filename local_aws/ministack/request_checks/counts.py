"""How many there are of what an operation creates, for its quota (`core.quotas`)."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.quotas import quota_error
from local_aws.ministack.compat import require
from local_aws.ministack.iam import iam
from local_aws.ministack.request_checks.rules import Error

logs = require("services.cloudwatch_logs", "_log_groups")
cloudwatch = require("services.cloudwatch", "_alarms")
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


# By service and operation.
COUNTS: Mapping[tuple[str, str], Callable[[Params], int]] = {
    ("cloudwatch", "PutMetricAlarm"): _named(cloudwatch._alarms, "AlarmName"),
    ("iam", "CreateOpenIDConnectProvider"): lambda _: len(iam._oidc_providers),
    ("iam", "CreateRole"): _named(iam._roles, "RoleName"),
    ("iam", "CreateUser"): _named(iam._users, "UserName"),
    ("logs", "CreateLogGroup"): _named(logs._log_groups, "logGroupName"),
    ("sns", "CreateTopic"): _topics,
    ("sns", "Subscribe"): _subscriptions,
    ("ssm", "PutParameter"): _named(ssm._parameters, "Name"),
}


def count_error(service: str, operation: str, params: Params) -> Error | None:
    """Return the error for one resource more than the quota, or None."""
    count = COUNTS.get((service, operation))
    return None if count is None else quota_error(service, operation, count(params))
