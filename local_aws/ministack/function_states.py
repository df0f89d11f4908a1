"""States of Lambda functions: one in a VPC that is idle becomes Inactive, and its next invocation fails.

Lambda reclaims the network interfaces of an idle function (pitfall N7):
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""

from collections.abc import Mapping
from typing import Any

from local_aws.core.clock import Clock
from local_aws.ministack.compat import require

lambda_svc = require(
    "services.lambda_svc",
    "_functions",
    "_get_function",
    "_get_function_config",
    "_invoke",
    "_list_functions",
    "_schedule_state_transition",
    "error_response_json",
)

IDLE_SECONDS = 14 * 24 * 3600
# AWS says that a network interface takes minutes. It is never so short that the caller's retry succeeds.
RESTORE_SECONDS, SHORTEST_RESTORE = 120.0, 5.0
NOT_READY = (
    "The function is inactive and its VPC connection is no longer available. "
    "Wait for the VPC connection to reestablish and try again."
)
# Lambda documents the codes, not the reasons: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
ACTIVE = {"State": "Active", "StateReason": "", "StateReasonCode": ""}
INACTIVE = {"State": "Inactive", "StateReason": "The function is idle.", "StateReasonCode": "Idle"}
RESTORING = {
    "State": "Pending",
    "StateReason": "The function is being restored.",
    "StateReasonCode": "Restoring",
}


class FunctionStates:
    """The states of the functions in a VPC. Times are in their records, and so in a snapshot."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        # No function is idle while local_aws does not run.
        self.started = clock.time()

    def touch(self, name: str) -> None:
        """Begin the idle time of a function that was created, updated or invoked."""
        lambda_svc._functions[name]["idle_since"] = self.clock.time()

    def state(self, name: str) -> str:
        """Return the current state of a function, and store it in its configuration."""
        function = lambda_svc._functions.get(name)
        if function is None or not function["config"].get("VpcConfig", {}).get("VpcId"):
            return "Active"
        config, now = function["config"], self.clock.time()
        if _is_restoring(config) and now >= function["ready_at"]:
            config.update(ACTIVE)
            self.touch(name)
        idle = now - max(function.setdefault("idle_since", now), self.started)
        if config["State"] == "Active" and idle >= self.clock.seconds(IDLE_SECONDS):
            config.update(INACTIVE)
        return "Pending" if _is_restoring(config) else str(config["State"])

    def begin(self, name: str) -> bool:
        """Record an invocation; return whether the function runs. An Inactive one is restored instead."""
        state = self.state(name)
        if state == "Inactive":
            function = lambda_svc._functions[name]
            function["config"].update(RESTORING)
            delay = max(SHORTEST_RESTORE, self.clock.seconds(RESTORE_SECONDS))
            function["ready_at"] = self.clock.time() + delay
        elif state == "Active" and name in lambda_svc._functions:
            self.touch(name)
        return state not in ("Inactive", "Pending")


def _is_restoring(config: Mapping[str, Any]) -> bool:
    return config.get("StateReasonCode") == RESTORING["StateReasonCode"]


def patch_function_states(states: FunctionStates) -> None:
    """Show the current state of a function, and fail the invocation of one that is not Active."""
    for reader in ("_get_function", "_get_function_config"):
        setattr(lambda_svc, reader, _with_state(states, getattr(lambda_svc, reader)))
    list_functions, invoke = lambda_svc._list_functions, lambda_svc._invoke
    transition = lambda_svc._schedule_state_transition

    def list_with_states(*arguments: Any, **named: Any) -> Any:
        for name in list(lambda_svc._functions):
            states.state(name)
        return list_functions(*arguments, **named)

    async def invoke_active(name: str, event: Any, headers: Mapping[str, str], *rest: Any) -> Any:
        is_dry_run = headers.get("x-amz-invocation-type") == "DryRun"
        if not is_dry_run and not states.begin(name):
            # Also for an asynchronous invocation: no event is queued.
            return lambda_svc.error_response_json("ResourceNotReadyException", NOT_READY, 502)
        return await invoke(name, event, headers, *rest)

    def touch_and_transition(name: str, delay: float) -> None:
        states.touch(name)
        transition(name, delay)

    lambda_svc._list_functions = list_with_states
    lambda_svc._invoke = invoke_active
    lambda_svc._schedule_state_transition = touch_and_transition


def _with_state(states: FunctionStates, original: Any) -> Any:
    def read(name: str, *rest: Any, **named: Any) -> Any:
        states.state(name)
        return original(name, *rest, **named)

    return read
