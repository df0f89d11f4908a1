"""A log event is stored once, and GetLogRecord has its fields; an event of EventBridge is not stored."""

import time

import pytest
from botocore.exceptions import ClientError
from ministack.services import cloudwatch_logs, eventbridge

from local_aws.ministack import traces
from unit_tests.local_aws.cloudformation_cloud import Cloud


def test_a_record_is_made_of_its_event(cloud: Cloud) -> None:
    logs, at = cloud.client("logs"), int(time.time() * 1000)
    logs.create_log_group(logGroupName="traced")
    logs.create_log_stream(logGroupName="traced", logStreamName="s")
    logs.put_log_events(
        logGroupName="traced", logStreamName="s", logEvents=[{"timestamp": at, "message": "it happened"}]
    )
    (event,) = logs.filter_log_events(logGroupName="traced")["events"]
    record = logs.get_log_record(logRecordPointer=event["eventId"])["logRecord"]
    assert record["@message"] == "it happened"
    assert (record["@log"], record["@logStream"]) == ("traced", "s")
    logs.delete_log_stream(logGroupName="traced", logStreamName="s")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.get_log_record(logRecordPointer=event["eventId"])
    logs.delete_log_group(logGroupName="traced")


def test_nothing_is_kept_beside_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudwatch_logs, "_log_records", {})
    monkeypatch.setattr(eventbridge, "_events_log_list", [].copy)
    traces.patch_traces()
    cloudwatch_logs._log_records["pointer"] = {"@message": "m"}
    assert list(cloudwatch_logs._log_records.items()) == []
    eventbridge._events_log_list().append({"EventId": "1"})
    assert eventbridge._events_log_list() == []
