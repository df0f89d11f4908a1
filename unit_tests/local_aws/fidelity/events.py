"""Wrong calls of EventBridge."""

from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import MISSING, Wrong
from unit_tests.local_aws.fidelity.suite import Suite

NOT_FOUND = "ResourceNotFoundException"
ARN = "arn:aws:events:us-east-1:123456789012:rule"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"
TARGETS = [{"Id": "t", "Arn": QUEUE}]
RULE = {"Name": "rule"}
OF_RULE = {"Rule": "rule"}
TAGGED = {"ResourceARN": f"{ARN}/rule"}


def prepare(account: Account) -> Mapping[str, Any]:
    """Create a rule with a target."""
    client = account.client("events")
    client.put_rule(**RULE, EventPattern='{"source": ["aws.codepipeline"]}')
    client.put_targets(**OF_RULE, Targets=TARGETS)
    client.create_event_bus(Name="full")
    for number in range(300):
        client.put_rule(Name=f"many{number}", EventBusName="full", EventPattern='{"source": ["s"]}')
    return {}


VALID: Mapping[str, Mapping[str, Any]] = {
    "DeleteRule": RULE,
    "DescribeRule": RULE,
    "DisableRule": RULE,
    "EnableRule": RULE,
    "ListRules": {},
    "ListTagsForResource": TAGGED,
    "ListTargetsByRule": OF_RULE,
    "PutEvents": {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]},
    "PutRule": {"Name": "new", "ScheduleExpression": "rate(1 day)"},
    "PutTargets": {**OF_RULE, "Targets": TARGETS},
    "RemoveTargets": {**OF_RULE, "Ids": ["t"]},
    "TagResource": {**TAGGED, "Tags": [{"Key": "k", "Value": "v"}]},
    "UntagResource": {**TAGGED, "TagKeys": ["k"]},
}
WRONG = (
    Wrong("Name", "nope", NOT_FOUND, ("PutRule", "DeleteRule")),
    Wrong("Rule", "nope", NOT_FOUND),
    Wrong("EventBusName", "nope", NOT_FOUND),
    Wrong("ResourceARN", f"{ARN}/nope", NOT_FOUND),
    Wrong("EventPattern", "zz", "InvalidEventPatternException"),
    Wrong("EventPattern", '{"source": "x"}', "InvalidEventPatternException"),
    Wrong("Targets", [{"Id": f"t{n}", "Arn": QUEUE} for n in range(6)], "LimitExceededException"),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    (
        "PutRule",
        {"EventBusName": "full", "ScheduleExpression": MISSING, "EventPattern": '{"source": ["s"]}'},
        "LimitExceededException",
    ),
)
SUITE = Suite("events", tuple(VALID), VALID, WRONG, CHANGES, prepare, invalid="ValidationException")
