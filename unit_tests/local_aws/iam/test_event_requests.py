"""The context keys of EventBridge's requests."""

from __future__ import annotations

from unit_tests.local_aws.iam.test_requests import json_call


def test_events_are_sent_with_their_sources_and_types() -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html."""
    entry = {"Source": "a", "DetailType": "b", "Detail": "{}"}
    (found,) = json_call("events", "PutEvents", Entries=[entry])
    assert found.values == {"events:source": ("a",), "events:detail-type": ("b",)}
