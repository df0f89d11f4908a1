"""Dashboards: a valid body is stored, an invalid one is rejected with CloudWatch's error message."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import Cloud, template

METRIC = {
    "type": "metric",
    "properties": {"metrics": [["AWS/ECS", "CPUUtilization"]], "region": "us-east-1"},
}


def stack(name: str, *widgets: Any, label: str = "one") -> str:
    body = json.dumps({"widgets": list(widgets)})
    tags = [{"Key": "label", "Value": label}]
    kind = "AWS::CloudWatch::Dashboard"
    return template(D={"Type": kind, "DashboardName": name, "DashboardBody": body, "Tags": tags})


def label(cloud: Cloud, arn: str) -> str:
    tags = cloud.client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"]
    return next(str(tag["Value"]) for tag in tags if tag["Key"] == "label")


def test_a_dashboard_has_the_given_body_and_is_deleted_with_its_stack(cloud: Cloud) -> None:
    cloudwatch = cloud.client("cloudwatch")
    assert cloud.create("shown", stack("shown", METRIC)) == "CREATE_COMPLETE"
    shown = cloudwatch.get_dashboard(DashboardName="shown")
    assert json.loads(shown["DashboardBody"]) == {"widgets": [METRIC]}
    assert shown["DashboardArn"].endswith(":dashboard/shown")
    text = {"type": "text", "properties": {"markdown": "# x"}}
    assert label(cloud, shown["DashboardArn"]) == "one"
    assert cloud.update("shown", stack("shown", METRIC, text, label="two")) == "UPDATE_COMPLETE"
    assert label(cloud, shown["DashboardArn"]) == "two"
    body = cloudwatch.get_dashboard(DashboardName="shown")["DashboardBody"]
    assert json.loads(body)["widgets"] == [METRIC, text]
    assert cloud.delete("shown") == "DELETE_COMPLETE"
    assert not cloudwatch.list_dashboards()["DashboardEntries"]


@pytest.mark.parametrize(
    ("widget", "path"),
    [
        ({"type": "graph", "properties": {}}, "/widgets/0/type"),
        ({"type": "log", "properties": {"region": "us-east-1"}}, "/widgets/0/properties/query"),
        ({"type": "metric", "properties": {"metrics": ["x"], "region": "x"}}, "properties/metrics/0"),
        ({"type": "metric", "properties": {"metrics": []}}, "/widgets/0/properties"),
        ({"type": "alarm"}, "/widgets/0/properties"),
    ],
)
def test_an_invalid_body_is_rejected(cloud: Cloud, widget: dict[str, Any], path: str) -> None:
    body = json.dumps({"widgets": [widget]})
    with pytest.raises(ClientError, match="there are 1 validation errors") as refused:
        cloud.client("cloudwatch").put_dashboard(DashboardName="ill", DashboardBody=body)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterInput"
    assert path in str(refused.value)


def test_a_stack_with_an_invalid_dashboard_is_rolled_back(cloud: Cloud) -> None:
    assert cloud.create("ill", stack("ill", {"type": "graph"})) == "ROLLBACK_COMPLETE"
    assert "The dashboard body is invalid" in cloud.reasons("ill")
