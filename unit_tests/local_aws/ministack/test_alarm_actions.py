"""Alarms of a running server: percentiles, and publishing to topics as their policies allow."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud

SECONDS = 15.0
SLOW_TWENTIETH = {"Values": [0.1, 5.0], "Counts": [90.0, 10.0]}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    server = start(tmp_path_factory.mktemp("state"))
    yield Cloud(server)
    server.stop()


def alarm(cloud: Cloud, name: str, **changed: Any) -> None:
    settings: dict[str, Any] = {
        "AlarmName": name,
        "Namespace": "Test",
        "MetricName": name,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 2.0,
        "EvaluationPeriods": 1,
        "Period": 60,
        "TreatMissingData": "notBreaching",
        **changed,
    }
    cloud.client("cloudwatch").put_metric_alarm(**settings)


def state(cloud: Cloud, name: str) -> str:
    (found,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found["StateValue"])


def publish(cloud: Cloud, until: Callable[[], bool], seconds: float, **data: dict[str, Any]) -> bool:
    """Publish `data`, one datum for each metric, repeatedly. Return whether `until` became true in time."""
    deadline = time.monotonic() + seconds
    metrics = [{"MetricName": name, **datum} for name, datum in data.items()]
    while time.monotonic() < deadline:
        cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=metrics)
        if until():
            return True
        time.sleep(0.2)
    return False


def test_a_percentile_alarm_detects_the_slowest_requests_that_the_average_hides(cloud: Cloud) -> None:
    alarm(cloud, "p95", ExtendedStatistic="p95")
    alarm(cloud, "average", Statistic="Average")
    alarm(cloud, "p80", ExtendedStatistic="p80")
    data = dict.fromkeys(("p95", "average", "p80"), SLOW_TWENTIETH)
    assert publish(cloud, lambda: state(cloud, "p95") == "ALARM", SECONDS, **data)
    assert state(cloud, "average") == state(cloud, "p80") == "OK"


def test_a_statistic_set_has_no_percentile(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html."""
    alarm(cloud, "set", ExtendedStatistic="p95")
    alarm(cloud, "of-set", Statistic="Maximum")
    values = {"StatisticValues": {"SampleCount": 100.0, "Sum": 59.0, "Minimum": 0.1, "Maximum": 5.0}}
    data = {"set": values, "of-set": values}
    assert publish(cloud, lambda: state(cloud, "of-set") == "ALARM", SECONDS, **data)
    assert state(cloud, "set") == "OK"


@pytest.mark.parametrize("service", ["cloudwatch.amazonaws.com", "events.amazonaws.com"])
def test_an_alarm_publishes_to_a_topic_only_if_its_policy_allows_cloudwatch(
    cloud: Cloud, service: str
) -> None:
    name = f"notifies-{service.partition('.')[0]}"
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:123456789012:{name}")
    alarm(cloud, name, Statistic="Maximum", AlarmActions=[topic])
    assert publish(cloud, lambda: state(cloud, name) == "ALARM", SECONDS, **{name: {"Value": 9.0}})
    received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
    refused = [fault for fault in cloud.server.background_errors() if f"{name} refused" in fault]
    if service.startswith("cloudwatch"):
        (message,) = received
        assert json.loads(json.loads(message["Body"])["Message"])["AlarmName"] == name
        assert not refused
    else:
        assert not received
        assert refused
