"""Counts an event that a rule could not deliver, in the metric FailedInvocations of that rule.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
"""

import logging
from contextvars import ContextVar
from typing import Any

from local_aws.ministack.compat import require

eventbridge = require("services.eventbridge", "_invoke_target", "logger")
cloudwatch = require("services.cloudwatch", "record_metric")

# The failures of the invocation that runs in this context.
_failures: ContextVar[list[str] | None] = ContextVar("_failures", default=None)


class _FailureHandler(logging.Handler):
    """Records the warnings of an invocation: MiniStack reports a failed one in its log only."""

    def emit(self, record: logging.LogRecord) -> None:
        failures = _failures.get()
        if failures is not None:
            failures.append(record.getMessage())


def patch_failed_invocations() -> None:
    """Publish the metric for targets of any kind. Call it after every other patch of `_invoke_target`."""
    original = eventbridge._invoke_target

    def invoke(target: dict[str, Any], event: dict[str, Any], rule: Any, view: Any = None) -> None:
        failures: list[str] = []
        token = _failures.set(failures)
        try:
            original(target, event, rule, view)
        finally:
            _failures.reset(token)
        if failures:
            cloudwatch.record_metric(
                "AWS/Events", "FailedInvocations", 1, "Count", {"RuleName": rule["Name"]}
            )

    eventbridge._invoke_target = invoke
    eventbridge.logger.addHandler(_FailureHandler(logging.WARNING))
