"""The source and destination of security group rules that are resources of their own."""

from collections.abc import Mapping
from typing import Any

import pytest

from local_aws.ministack.ec2 import _source


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"CidrIp": "0.0.0.0/0"}, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}),
        ({"SourceSecurityGroupId": "sg-1"}, {"UserIdGroupPairs": [{"GroupId": "sg-1"}]}),
    ],
)
def test_a_rule_names_one_source(properties: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    assert _source(dict(properties), "ingress") == expected


def test_a_rule_with_an_unknown_property_is_rejected() -> None:
    with pytest.raises(ValueError, match="not support the property SourceSecurityGroupName"):
        _source({"CidrIp": "0.0.0.0/0", "SourceSecurityGroupName": "x"}, "ingress")
    with pytest.raises(ValueError, match="not support the property SourceSecurityGroupId"):
        _source({"SourceSecurityGroupId": "sg-1"}, "egress")


def test_a_rule_without_a_source_is_rejected() -> None:
    with pytest.raises(ValueError, match="exactly one of"):
        _source({}, "ingress")
