"""Active health checks of the targets, as an Application Load Balancer makes them."""

import asyncio
import time

import aiohttp
from yarl import URL

from local_aws.core.clock import Clock
from local_aws.services.elbv2.records import TargetGroup
from local_aws.services.elbv2.targets import GroupState, TargetState

USER_AGENT = "ELB-HealthChecker/2.0"
# However fast the clock: a check is real work for the target.
SHORTEST_INTERVAL = 0.1
# And of one that is well, this often is enough; the first check that fails brings the next ones on.
STEADY_INTERVAL = 0.5


def interval(clock: Clock, group: TargetGroup, target: TargetState) -> float:
    """Return this machine's seconds between two checks of a target."""
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
    # A new target is checked at once, as its registration does on AWS.
    return {target: due.get(target, 0.0) for target in state.registered()}


async def check(session: aiohttp.ClientSession, group: TargetGroup, state: TargetState) -> None:
    """Make one health check and count its result."""
    plan = group.health_check
    target = state.target
    port = target.port if plan.port == "traffic-port" else int(plan.port)
    url = URL(f"http://{target.id}:{port}{plan.path}", encoded=True)
    headers = {"User-Agent": USER_AGENT, "Host": f"{target.id}:{port}", "Connection": "close"}
    timeout = aiohttp.ClientTimeout(total=plan.timeout)
    try:
        async with session.get(url, headers=headers, timeout=timeout, allow_redirects=False) as answer:
            await answer.read()
            status = answer.status
    except TimeoutError:
        _count(state, group, "Target.Timeout")
    except (aiohttp.ClientError, OSError):
        _count(state, group, "Target.FailedHealthChecks")
    else:
        if plan.expects(status):
            _count(state, group, None)
        else:
            text = f"Health checks failed with these codes: [{status}]"
            _count(state, group, "Target.ResponseCodeMismatch", text)


def _count(state: TargetState, group: TargetGroup, reason: str | None, description: str = "") -> None:
    if state.draining_since is not None or state.state == "unused":
        return
    if reason is None:
        state.pass_check(group.health_check)
    else:
        state.fail_check(group.health_check, reason, description)
