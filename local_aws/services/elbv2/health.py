"""Health checks of the targets, as an Application Load Balancer makes them."""

import asyncio
import time

import aiohttp
from yarl import URL

from local_aws.core.clock import Clock
from local_aws.services.elbv2.records import TargetGroup
from local_aws.services.elbv2.targets import GroupState, TargetState

USER_AGENT = "ELB-HealthChecker/2.0"
# A lower bound for any time scale: a check is work for the target.
SHORTEST_INTERVAL = 0.1
# The lower bound for a healthy target, until a check fails.
STEADY_INTERVAL = 0.5


def interval(clock: Clock, group: TargetGroup, target: TargetState) -> float:
    """Return the seconds on this machine between two checks of a target."""
    shortest = STEADY_INTERVAL if target.state == "healthy" and not target.failed else SHORTEST_INTERVAL
    return max(clock.seconds(group.health_check.interval), shortest)


async def check_forever(session: aiohttp.ClientSession, state: GroupState, clock: Clock) -> None:
    """Check every registered target of one group, each at the group's interval, until cancelled."""
    due: dict[TargetState, float] = {}
    running: dict[TargetState, asyncio.Task[None]] = {}
    try:
        while True:
            due = _due(state, due)
            now = time.monotonic()
            for target, moment in due.items():
                busy = target in running and not running[target].done()
                if moment <= now and not busy and state.group.load_balancer is not None:
                    due[target] = now + interval(clock, state.group, target)
                    running[target] = asyncio.create_task(check(session, state.group, target))
            running = {target: task for target, task in running.items() if not task.done()}
            state.forget_drained()
            await asyncio.sleep(SHORTEST_INTERVAL)
    finally:
        for task in running.values():
            task.cancel()
        # Their connections close before the session does.
        await asyncio.gather(*running.values(), return_exceptions=True)


def _due(state: GroupState, due: dict[TargetState, float]) -> dict[TargetState, float]:
    # A new target is checked at once, as on AWS.
    return {target: due.get(target, 0.0) for target in state.registered()}


async def check(session: aiohttp.ClientSession, group: TargetGroup, state: TargetState) -> None:
    """Make one health check and record its result."""
    settings = group.health_check
    target = state.target
    port = target.port if settings.port == "traffic-port" else int(settings.port)
    url = URL(f"http://{target.id}:{port}{settings.path}", encoded=True)
    headers = {"User-Agent": USER_AGENT, "Host": f"{target.id}:{port}", "Connection": "close"}
    timeout = aiohttp.ClientTimeout(total=settings.timeout)
    try:
        async with session.get(url, headers=headers, timeout=timeout, allow_redirects=False) as answer:
            await answer.read()
            status = answer.status
    except TimeoutError:
        _record(state, group, "Target.Timeout")
    except (aiohttp.ClientError, OSError):
        _record(state, group, "Target.FailedHealthChecks")
    else:
        if settings.expects(status):
            _record(state, group, None)
        else:
            text = f"Health checks failed with these codes: [{status}]"
            _record(state, group, "Target.ResponseCodeMismatch", text)


def _record(state: TargetState, group: TargetGroup, reason: str | None, description: str = "") -> None:
    if state.draining_since is not None or state.state == "unused":
        return
    if reason is None:
        state.pass_check(group.health_check)
    else:
        state.fail_check(group.health_check, reason, description)
