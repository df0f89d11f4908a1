"""A failure that MiniStack only logs is a background error; one that it reports is not."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.server.background_errors import counted, is_unreported, watch_log


@pytest.mark.parametrize(
    "message",
    [
        "Nested-stack a: delete of b failed: c",
        "Failed to delete old resource Bucket: not empty",
        "Rollback delete of Bucket failed: not empty",
        "background task reaper failed",
        "EventBridge → SNS arn refused: no",
        "EventBridge: unsupported target type for ARN a",
    ],
)
def test_a_failure_that_is_only_logged_is_a_background_error(message: str) -> None:
    assert is_unreported(message)


@pytest.mark.parametrize(
    "message", ["Delete of Bucket (b) failed: not empty", "Failed to provision Bucket", "SNS publish to a"]
)
def test_a_failure_that_the_stack_reports_is_no_background_error(message: str) -> None:
    assert not is_unreported(message)


@pytest.fixture
def context() -> Iterator[Context]:
    before = list(logging.getLogger().handlers)
    made = Context(Path("/nowhere"), "http://127.0.0.1:1", Clock(), "i", lambda *_: None)
    watch_log(made)
    yield made
    logging.getLogger().handlers[:] = before


def test_the_handler_records_unreported_failures(context: Context) -> None:
    logging.getLogger("cloudformation").error("Failed to delete old resource %s: %s", "Bucket", "not empty")
    assert context.background_errors == ["cloudformation: Failed to delete old resource Bucket: not empty"]


def test_an_error_that_comes_again_is_told_once() -> None:
    assert counted(["a", "b", "a", "a"]) == ["a (3 times)", "b"]
    assert counted([]) == []


def test_the_handler_ignores_other_messages(context: Context) -> None:
    logging.getLogger("cloudformation").warning("a property is deprecated")
    assert context.background_errors == []
