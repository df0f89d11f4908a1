"""The adapter knows which MiniStack it stands on."""

import importlib.metadata
from collections.abc import Mapping
from typing import Any

import pytest

from local_aws import ministack
from local_aws.ministack.compat import require
from local_aws.ministack.ec2 import _source


def test_a_private_name_that_is_gone_is_one_clear_line() -> None:
    with pytest.raises(
        RuntimeError, match=r"^ministack\.core\.arn has no gone, lost: local_aws does not support"
    ):
        require("core.arn", "parse_arn", "gone", "lost")


def test_the_names_that_are_there_pass() -> None:
    assert require("core.arn", "parse_arn").parse_arn is not None


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.5.34")
    with pytest.raises(RuntimeError, match=r"MiniStack 1\.5\.34 is installed, local_aws requires 1\.5\.33"):
        ministack.check_version()


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"CidrIp": "0.0.0.0/0"}, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}),
        ({"SourceSecurityGroupId": "sg-1"}, {"UserIdGroupPairs": [{"GroupId": "sg-1"}]}),
    ],
)
def test_a_rule_names_one_source(properties: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    assert _source(dict(properties), "ingress") == expected


def test_a_rule_with_a_property_that_has_no_place_is_refused() -> None:
    with pytest.raises(ValueError, match="unsupported property SourceSecurityGroupName"):
        _source({"CidrIp": "0.0.0.0/0", "SourceSecurityGroupName": "x"}, "ingress")
    with pytest.raises(ValueError, match="unsupported property SourceSecurityGroupId"):
        _source({"SourceSecurityGroupId": "sg-1"}, "egress")


def test_a_rule_without_a_source_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly one of"):
        _source({}, "ingress")
