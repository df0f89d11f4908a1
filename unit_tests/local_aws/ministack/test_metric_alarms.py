"""PutMetricAlarm with metric math: what AWS refuses, and the states of a running server."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.daemon import start
from local_aws.ministack.metric_alarms import denial_reason
from unit_tests.local_aws.cloudformation_cloud import Cloud, template

SECONDS = 15.0


def metric(id_: str, **changed: Any) -> dict[str, Any]:
    found = {"Namespace": "Test", "MetricName": id_}
    return {
        "Id": id_,
        "MetricStat": {"Metric": found, "Period": 60, "Stat": "Sum"},
        "ReturnData": False,
    } | changed


def expression(text: str, id_: str = "e", **changed: Any) -> dict[str, Any]:
    return {"Id": id_, "Expression": text, **changed}


def alarm(*queries: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "AlarmName": "math",
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1.0,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
        **({"Metrics": list(queries)} if queries else {}),
        **changed,
    }


def of_one(**changed: Any) -> dict[str, Any]:
    return alarm(**{"MetricName": "a", "Namespace": "Test", "Period": 60, "Statistic": "Sum", **changed})


MANY = [metric(f"m{number}") for number in range(11)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (alarm(), "MetricName must not be null"),
        (
            alarm(metric("a"), expression("a"), MetricName="a"),
            "MetricName should not be set if list of Metrics",
        ),
        (
            alarm(metric("a"), expression("a"), Statistic="Sum"),
            "Statistic should not be set if list of Metrics",
        ),
        (alarm(metric("a"), expression("a", ReturnData=False)), "Exactly one element of the metrics list"),
        (alarm(metric("a", ReturnData=True), expression("a")), "Exactly one element of the metrics list"),
        (alarm(*MANY, expression("SUM(METRICS())")), "up to 10 metrics"),
        (alarm(metric("a"), metric("a"), expression("a")), "an Id of its own"),
        (alarm(metric("a"), expression("a + b")), "'a + b' refers to an id that does not exist"),
        (alarm(metric("a"), expression("SUM(a)")), "does not return a single time series"),
        (alarm(metric("a"), expression("RATE(a)")), "does not support RATE()"),
        (alarm(metric("a"), expression("a"), DatapointsToAlarm=2), "DatapointsToAlarm must be less than"),
        (alarm(metric("a"), expression("a"), ThresholdMetricId="a"), "does not support ThresholdMetricId"),
        (of_one(ExtendedStatistic="p99"), "but not both"),
        (of_one(Statistic=""), "Specify either Statistic or ExtendedStatistic"),
        (of_one(Statistic="", ExtendedStatistic="p101"), "parameter ExtendedStatistic is not supported"),
        (of_one(TreatMissingData="breach"), "Option breach for TreatMissingData"),
        (of_one(EvaluationPeriods=1441), "must be <= 86400"),
        (of_one(Period=3600, EvaluationPeriods=169), "must be <= 604800"),
        (of_one(OKActions=["topic"]), "Invalid arn syntax: topic"),
        (of_one(AlarmActions=["arn:aws:sns:eu-west-1:123456789012:t"]), "Invalid region eu-west-1 specified"),
    ],
)
def test_an_alarm_that_aws_refuses_is_refused(given: dict[str, Any], message: str) -> None:
    assert message in (denial_reason(given) or "")


@pytest.mark.parametrize("statistic", ["p90", "p99.9", "tm90", "IQM", "PR(10:20)", "TM(10%:90%)", "WM(:5)"])
def test_an_extended_statistic_is_accepted(statistic: str) -> None:
    assert denial_reason(of_one(Statistic="", ExtendedStatistic=statistic)) is None
    assert denial_reason(of_one(Period=3600, EvaluationPeriods=168)) is None


def test_ten_metrics_and_expressions_of_expressions_are_accepted() -> None:
    queries = [*MANY[:10], expression("SUM(METRICS())", "sum", ReturnData=False), expression("sum / 2")]
    assert denial_reason(alarm(*queries)) is None


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    server = start(tmp_path_factory.mktemp("state"))
    yield Cloud(server)
    server.stop()


def reaches(cloud: Cloud, name: str, state: str, **data: float) -> bool:
    """Publish values of metrics until the alarm is in `state`; return whether it is in time."""
    deadline = time.monotonic() + SECONDS
    values = [{"MetricName": metric, "Value": value} for metric, value in data.items()]
    while time.monotonic() < deadline:
        if values:
            cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=values)
        if described(cloud, name)["StateValue"] == state:
            return True
        time.sleep(0.1)
    return False


def described(cloud: Cloud, name: str) -> dict[str, Any]:
    (found,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def test_an_alarm_of_a_template_follows_its_expression(cloud: Cloud) -> None:
    rate = "IF(FILL(errors, 0) >= 5, 100 * FILL(errors, 0) / FILL(requests, 0), 0)"
    properties = alarm(
        metric("errors"), metric("requests"), expression(rate), Threshold=50.0, AlarmName="rate"
    )
    body = template(A={"Type": "AWS::CloudWatch::Alarm", **properties})
    assert cloud.create("rate", body) == "CREATE_COMPLETE", cloud.reasons("rate")
    found = described(cloud, "rate")
    assert [query["Id"] for query in found["Metrics"]] == ["errors", "requests", "e"]
    assert not {"MetricName", "Namespace", "Statistic", "Period"} & found.keys()
    assert reaches(cloud, "rate", "OK", errors=9.0, requests=90.0)
    assert reaches(cloud, "rate", "ALARM", errors=9.0, requests=9.0)
    assert reaches(cloud, "rate", "OK", errors=1.0, requests=90.0)
    cloud.client("cloudwatch").delete_alarms(AlarmNames=["rate"])


def test_an_alarm_on_missing_data_changes_its_state_though_nobody_publishes(cloud: Cloud) -> None:
    queries = metric("silent"), expression("FILL(silent, 0)")
    operator = {"ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching"}
    cloud.client("cloudwatch").put_metric_alarm(**alarm(*queries, AlarmName="silent", **operator))
    assert reaches(cloud, "silent", "ALARM")


def test_a_refused_alarm_is_a_validation_error(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as error:
        cloud.client("cloudwatch").put_metric_alarm(**alarm(metric("a"), expression("a"), Namespace="Test"))
    assert error.value.response["Error"]["Code"] == "ValidationError"
    assert (
        error.value.response["Error"]["Message"] == "Namespace should not be set if list of Metrics is set."
    )
