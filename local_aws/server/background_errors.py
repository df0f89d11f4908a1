"""Faults: what went wrong where nobody was asked, so that a run cannot end green over it."""

import logging
import re

from local_aws.core.context import Context

# MiniStack logs these and carries on; on AWS a person would see a failure, or the thing would have happened.
SWALLOWED = re.compile(
    r"delete of .* failed|failed to delete|background task .* failed|no-op placeholder"
    r"|Tag-only change on .* ignored"
    r"|EventBridge.*(unsupported|refused|not found|dispatch error|not delivered)"
    r"|CloudWatch alarm.*refused"
    r"|SNS .* failed|did not resolve|Error handling|Unhandled",
    re.IGNORECASE,
)
# The engine logs it as well when it reports it: then the stack is DELETE_FAILED, and nothing is swallowed.
REPORTED = re.compile(r"^Delete of \S+ \(.*\) failed", re.DOTALL)


class _Watch(logging.Handler):
    def __init__(self, context: Context) -> None:
        super().__init__(logging.WARNING)
        self.context = context

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if not record.name.startswith("local_aws") and is_swallowed(message):
            self.context.faults.append(f"{record.name}: {message}")


def is_swallowed(message: str) -> bool:
    """Say whether a log message of MiniStack tells of a failure that it reported to nobody."""
    return bool(SWALLOWED.search(message)) and not REPORTED.match(message)


def watch_log(context: Context) -> None:
    """Put every swallowed failure in MiniStack's log into the context's faults."""
    logging.getLogger().addHandler(_Watch(context))
