"""Runs EventBridge's rate schedules on the scaled clock, and retries functions that are not Active."""

import contextvars
import re
import time
from collections.abc import Callable

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.function_states import FunctionStates

eventbridge = require(
    "services.eventbridge",
    "_dispatch_to_lambda",
    "_now_ts",
    "_parse_rate_seconds",
    "_RATE_RE",
    "_SCHEDULER_TICK_INTERVAL",
    "_tick_scheduled_rules",
)
lambda_svc = require("services.lambda_svc", "executions_in_flight")

# The unit of one is singular: https://github.com/buildkite/buildkite-agent-scaler/pull/100
RATE = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)")
DAY = 24 * 3600.0
# A schedule of one minute, AWS's shortest, is not late by more than ten seconds of AWS's time.
TICK_SECONDS, SHORTEST_TICK = 10.0, 0.1
# A function runs for 15 minutes at most; a scheduled one of a test for much less.
LONGEST_RUN_SECONDS = 60.0


def patch_schedules(context: Context, states: FunctionStates) -> None:
    """Scale rates by the clock, and pass events for functions through their states.

    Cron schedules stay on the time of this machine.
    """
    clock, rate = context.clock, eventbridge._parse_rate_seconds

    def scaled(expression: str) -> float | None:
        seconds = rate(expression)
        return None if seconds is None else clock.seconds(seconds)

    eventbridge._RATE_RE = RATE
    eventbridge._parse_rate_seconds = scaled
    eventbridge._now_ts = clock.time
    eventbridge._SCHEDULER_TICK_INTERVAL = max(SHORTEST_TICK, clock.seconds(TICK_SECONDS))
    eventbridge._dispatch_to_lambda = _when_active(context, states, eventbridge._dispatch_to_lambda)


def _when_active(
    context: Context, states: FunctionStates, dispatch: Callable[[str, str], None]
) -> Callable[[str, str], None]:
    def dispatch_when_active(arn: str, payload: str) -> None:
        name = arn.rpartition(":function:")[2]
        if states.begin(name):
            dispatch(arn, payload)
            return

        def retry() -> None:
            # AWS retries for 24 hours: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
            while not states.begin(name):
                time.sleep(1.0)
            dispatch(arn, payload)

        context.spawn(f"retry-{name}", contextvars.copy_context().run, retry)

    return dispatch_when_active


def skip_days(clock: Clock, days: int) -> None:
    """Let days pass at once; the rate schedules that are due on each day run before the next."""
    # A new rule's countdown begins with the first look at it.
    eventbridge._tick_scheduled_rules()
    for _ in range(days):
        clock.skip(DAY)
        eventbridge._tick_scheduled_rules()
        _wait_for_functions()


def _wait_for_functions() -> None:
    deadline = time.monotonic() + LONGEST_RUN_SECONDS
    while lambda_svc.executions_in_flight()[0] and time.monotonic() < deadline:
        time.sleep(0.01)
