"""AWS's public parameters are refused by name: no image, and no other of their values, is here."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import Cloud

IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
OPTIMIZED = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"


@pytest.mark.parametrize(
    ("operation", "request_", "named"),
    [
        ("get_parameter", {"Name": IMAGE}, IMAGE),
        ("get_parameter", {"Name": f"arn:aws:ssm:us-east-1::parameter{IMAGE}"}, IMAGE),
        ("get_parameters", {"Names": ["/mine", OPTIMIZED]}, OPTIMIZED),
        ("get_parameters_by_path", {"Path": "/aws/service"}, "/aws/service"),
    ],
)
def test_a_public_parameter_is_refused_by_name(
    cloud: Cloud, operation: str, request_: dict[str, Any], named: str
) -> None:
    with pytest.raises(ClientError) as raised:
        getattr(cloud.client("ssm"), operation)(**request_)
    error = raised.value.response["Error"]
    assert error["Code"] == "UnsupportedOperation"
    assert error["Message"].startswith("local_aws does not have the public parameter ")
    assert error["Message"].endswith(named)


def test_a_parameter_of_the_account_is_read_or_not_found(cloud: Cloud) -> None:
    ssm = cloud.client("ssm")
    ssm.put_parameter(Name="/service/aws", Value="mine", Type="String")
    assert ssm.get_parameter(Name="/service/aws")["Parameter"]["Value"] == "mine"
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/mine/other")
