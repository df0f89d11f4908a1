"""Wrong calls of CloudWatch Logs."""

from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account, policy
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

INVALID = "InvalidParameterException"
NOT_FOUND = "ResourceNotFoundException"
ARN = "arn:aws:logs:us-east-1:123456789012:log-group"
GROUP = {"logGroupName": "group"}
STREAM = {**GROUP, "logStreamName": "stream"}
FILTER = {**GROUP, "filterName": "filter"}
TRANSFORMATIONS = [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}]
EVENTS = [{"timestamp": 0, "message": "m"}]
BACKWARDS = [{"timestamp": 2, "message": "m"}, {"timestamp": 1, "message": "m"}]
WRITE = policy(
    {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "logs:PutLogEvents",
        "Resource": "*",
    }
)


def prepare(account: Account) -> Mapping[str, Any]:
    """Create a log group with a stream, and ten resource policies."""
    client = account.client("logs")
    client.create_log_group(**GROUP)
    client.create_log_stream(**STREAM)
    client.create_log_group(logGroupName="tagged", tags={f"k{number}": "v" for number in range(50)})
    client.create_log_group(logGroupName="full")
    for number in range(100):
        client.put_metric_filter(
            logGroupName="full",
            filterName=f"many{number}",
            filterPattern="x",
            metricTransformations=TRANSFORMATIONS,
        )
    for number in range(10):
        client.put_resource_policy(policyName=f"p{number}", policyDocument=WRITE)
    return {}


VALID: Mapping[str, Mapping[str, Any]] = {
    "CreateLogGroup": {"logGroupName": "new"},
    "CreateLogStream": {**GROUP, "logStreamName": "new"},
    "DeleteLogGroup": GROUP,
    "DeleteLogStream": STREAM,
    "DeleteMetricFilter": FILTER,
    "DeleteResourcePolicy": {"policyName": "p0"},
    "DeleteRetentionPolicy": GROUP,
    "DescribeLogGroups": {},
    "DescribeLogStreams": GROUP,
    "DescribeMetricFilters": GROUP,
    "DescribeResourcePolicies": {},
    "FilterLogEvents": GROUP,
    "GetLogEvents": STREAM,
    "ListTagsForResource": {"resourceArn": f"{ARN}:group"},
    "PutLogEvents": {**STREAM, "logEvents": EVENTS},
    "PutMetricFilter": {**FILTER, "filterPattern": "x", "metricTransformations": TRANSFORMATIONS},
    "PutResourcePolicy": {"policyName": "p0", "policyDocument": WRITE},
    "PutRetentionPolicy": {**GROUP, "retentionInDays": 1},
    "TagResource": {"resourceArn": f"{ARN}:group", "tags": {"k": "v"}},
    "UntagResource": {"resourceArn": f"{ARN}:group", "tagKeys": ["k"]},
}
WRONG = (
    Wrong("logGroupName", "nope", NOT_FOUND),
    Wrong("logGroupName", "bad name!", INVALID),
    Wrong("logGroupName", "group", "ResourceAlreadyExistsException", ("CreateLogStream",)),
    Wrong("logStreamName", "nope", NOT_FOUND, ("CreateLogStream",)),
    Wrong("logStreamName", "bad:name", INVALID),
    Wrong("logStreamName", "stream", "ResourceAlreadyExistsException"),
    Wrong("filterName", "nope", NOT_FOUND, ("PutMetricFilter",)),
    Wrong("policyName", "nope", NOT_FOUND, ("PutResourcePolicy",)),
    Wrong("policyName", "eleventh", "LimitExceededException"),
    Wrong("policyDocument", "zz", INVALID),
    Wrong("retentionInDays", 2, INVALID),
    Wrong("limit", 0, INVALID),
    Wrong("limit", 10001, INVALID),
    Wrong("nextToken", "", INVALID),
    Wrong("logEvents", [], INVALID),
    Wrong("logEvents", BACKWARDS, INVALID),
    Wrong("filterPattern", "{ $.x = ", INVALID),
    Wrong("resourceArn", f"{ARN}:nope", NOT_FOUND),
    Wrong("resourceArn", "zz", INVALID),
    Wrong("tags", {"aws:k": "v"}, INVALID),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("PutMetricFilter", {"logGroupName": "full"}, "LimitExceededException"),
    ("TagResource", {"resourceArn": f"{ARN}:tagged"}, "TooManyTagsException"),
)
SUITE = Suite("logs", tuple(VALID), VALID, WRONG, CHANGES, prepare, invalid=INVALID)
