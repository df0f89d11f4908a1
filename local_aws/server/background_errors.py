"""Background errors: failures that no response reports. They end a run, so that it cannot pass regardless."""

import logging
import re
from collections import Counter
from collections.abc import Iterable

from local_aws.core.context import Context

# MiniStack logs these and continues, where AWS would report a failure or carry the operation out.
UNREPORTED = re.compile(
    r"delete of .* failed|failed to delete|background task .* failed|no-op placeholder"
    r"|Tag-only change on .* ignored"
    r"|EventBridge.*(unsupported|refused|not found|dispatch error|not delivered)"
    r"|CloudWatch alarm.*refused"
    r"|SNS .* failed|did not resolve|Error handling|Unhandled",
    re.IGNORECASE,
)
# The engine logs this one when it also reports it: the stack is DELETE_FAILED.
REPORTED = re.compile(r"^Delete of \S+ \(.*\) failed", re.DOTALL)


class _BackgroundErrorHandler(logging.Handler):
    def __init__(self, context: Context) -> None:
        super().__init__(logging.WARNING)
        self.context = context

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if not record.name.startswith("local_aws") and is_unreported(message):
            self.context.background_errors.append(f"{record.name}: {message}")


def is_unreported(message: str) -> bool:
    """Return whether a log message of MiniStack is about a failure that it does not report."""
    return bool(UNREPORTED.search(message)) and not REPORTED.match(message)


def counted(errors: Iterable[str]) -> list[str]:
    """Return each error once, in the order of the first ones: a schedule fails with each event."""
    times = Counter(list(errors))
    return [error if count == 1 else f"{error} ({count} times)" for error, count in times.items()]


def watch_log(context: Context) -> None:
    """Record every unreported failure in MiniStack's log as a background error."""
    logging.getLogger().addHandler(_BackgroundErrorHandler(context))
