"""Fixtures of the operations."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operations import cdk_cli, leftovers
from operations.account import Account
from operations.ownership import Resource


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[Resource]:
    """What the inventory finds; nothing, until a test adds a resource."""
    resources: list[Resource] = []
    kinds: dict[str, Callable[[Account], Iterator[Resource]]] = {
        "CloudFormation stacks": lambda _: iter(()),
        "resources": lambda _: iter(resources),
    }
    monkeypatch.setattr(leftovers, "KINDS", kinds)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    return resources


@pytest.fixture
def cdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A `cdk` that records its arguments, and exits with the code in the file beside it."""
    program = tmp_path / "cdk"
    program.write_text('#!/bin/sh\necho "$@" > "$0.called"\nexit $(cat "$0.code" 2>/dev/null || echo 0)\n')
    program.chmod(0o755)
    monkeypatch.setattr(cdk_cli, "CDK", program)
    return program
