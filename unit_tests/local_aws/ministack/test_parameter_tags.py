"""Tags of parameters: of one that does not exist, and in filters."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud

TAGS = [{"Key": "environment", "Value": "orders-dev"}]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    server = start(tmp_path_factory.mktemp("state"))
    cloud = Cloud(server)
    ssm = cloud.client("ssm")
    ssm.put_parameter(Name="/orders-dev/KEY", Value="x", Type="SecureString", Tags=TAGS)
    ssm.put_parameter(Name="/orders-dev/OTHER", Value="x", Type="String")
    yield cloud
    server.stop()


def test_the_tags_of_a_missing_parameter_cannot_be_listed_or_set(cloud: Cloud) -> None:
    ssm, missing = cloud.client("ssm"), {"ResourceType": "Parameter", "ResourceId": "/orders-dev/NONE"}
    assert (
        ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/orders-dev/KEY")["TagList"] == TAGS
    )
    for call in (ssm.list_tags_for_resource, lambda **given: ssm.add_tags_to_resource(Tags=TAGS, **given)):
        with pytest.raises(ClientError, match="InvalidResourceId"):
            call(**missing)


@pytest.mark.parametrize(("values", "found"), [(["orders-dev"], ["/orders-dev/KEY"]), (["dev"], [])])
def test_parameters_are_filtered_by_their_tags(cloud: Cloud, values: list[str], found: list[str]) -> None:
    wanted = [
        {"Key": "Path", "Values": ["/orders-dev"]},
        {"Key": "tag:environment", "Values": values},
    ]
    answer = cloud.client("ssm").describe_parameters(ParameterFilters=wanted)
    assert [one["Name"] for one in answer["Parameters"]] == found
