"""What MiniStack answered without checks of ours is listed, for the report of each run."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import Cloud


def added(cloud: Cloud, call: Callable[[], Any]) -> set[str]:
    """Return the operations that a call adds to the list."""
    before = set(cloud.server.passed_through())
    call()
    return set(cloud.server.passed_through()) - before


def test_an_operation_of_ministack_is_listed(cloud: Cloud) -> None:
    assert added(cloud, lambda: cloud.client("sns").create_topic(Name="t")) == {"sns:CreateTopic"}
    assert added(cloud, lambda: cloud.client("s3").create_bucket(Bucket="bucket")) == {"s3:CreateBucket"}
    assert added(cloud, cloud.client("cloudwatch").describe_alarms) == {"cloudwatch:DescribeAlarms"}


def test_a_checked_operation_is_not_listed(cloud: Cloud) -> None:
    for call in (cloud.client("ecs").list_clusters, cloud.client("elbv2").describe_load_balancers):
        assert added(cloud, call) == set()


def test_a_refused_operation_is_not_listed(cloud: Cloud) -> None:
    def call() -> None:
        with pytest.raises(ClientError):
            cloud.client("sqs").get_queue_url(QueueName="nope")

    assert added(cloud, call) == set()
