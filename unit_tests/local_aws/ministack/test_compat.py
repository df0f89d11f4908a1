"""The adapter checks MiniStack's version and private names."""

import importlib.metadata

import pytest

from local_aws import ministack
from local_aws.ministack.compat import require


def test_a_missing_private_name_is_an_error_of_one_line() -> None:
    with pytest.raises(
        RuntimeError, match=r"^ministack\.core\.arn has no one, two: local_aws does not support"
    ):
        require("core.arn", "parse_arn", "one", "two")


def test_existing_private_names_pass() -> None:
    assert require("core.arn", "parse_arn").parse_arn is not None


def test_another_version_of_ministack_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.5.34")
    with pytest.raises(RuntimeError, match=r"MiniStack 1\.5\.34 is installed, local_aws requires 1\.5\.33"):
        ministack.check_version()
