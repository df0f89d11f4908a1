"""The metrics that the data plane publishes."""

import asyncio
from typing import Any

import pytest
import requests
from aiohttp import web

from local_aws.core.context import ACCOUNT
from local_aws.services.elbv2.service import LoadBalancing
from unit_tests.local_aws.services.elbv2.backends import (
    Backend,
    Loop,
    forwarding,
    get,
    healthy,
    target_group,
    url,
    wait_until,
)


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish no metrics, so that only the test takes them."""
    monkeypatch.setattr("local_aws.services.elbv2.service.PUBLISH_EVERY", 24 * 3600)


@pytest.mark.usefixtures("silence")
def test_metrics_count_requests_errors_and_hosts(loop: Loop, plane: LoadBalancing) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=500 if request.path == "/bad" else 200)

    group, empty = target_group("a", Backend(loop, answer)), target_group("b")
    plane.apply(forwarding({group: 1}))
    healthy(plane, group)
    for path in ("/", "/", "/bad"):
        get(plane, path)
    plane.apply(forwarding({empty: 1}))
    get(plane)
    found = published(plane)
    assert found["RequestCount", 2] == found["RequestCount", 1] == 3
    assert found["HTTPCode_Target_5XX_Count", 2] == 1
    assert found["HTTPCode_ELB_5XX_Count", 1] == found["HTTPCode_ELB_503_Count", 1] == 1
    assert sum(found["TargetResponseTime", 2]) == 3


@pytest.mark.usefixtures("silence")
def test_a_request_without_an_answer_is_counted_and_one_without_a_target_is_not(
    loop: Loop, plane: LoadBalancing
) -> None:
    """RequestCount counts requests for which a target was chosen (pitfall N9)."""

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/health":
            return web.Response()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    group = target_group("a", Backend(loop, answer))
    plane.apply(forwarding({group: 1}))
    healthy(plane, group)
    assert get(plane).status_code == 502
    assert requests.request("TRACE", url(plane), timeout=10).status_code == 405
    found = published(plane)
    assert found["RequestCount", 2] == found["HTTPCode_ELB_502_Count", 1] == 1
    assert found["HTTPCode_ELB_5XX_Count", 1] == found["HTTPCode_ELB_4XX_Count", 1] == 1
    assert "HTTPCode_Target_5XX_Count" not in {name for name, _ in found}


@pytest.mark.usefixtures("silence")
def test_a_client_that_leaves_before_the_answer_is_an_error_of_the_load_balancer(
    loop: Loop, plane: LoadBalancing
) -> None:
    """Status 460, which ALB's page of troubleshooting explains."""
    asked, left = asyncio.Event(), asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path != "/health":
            asked.set()
            await left.wait()
        return web.Response()

    async def leave() -> None:
        _, writer = await asyncio.open_connection(*plane.addresses()["lb.elb:80"].split(":"))
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await asked.wait()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.2)
        left.set()

    group = target_group("a", Backend(loop, answer))
    plane.apply(forwarding({group: 1}))
    healthy(plane, group)
    loop.run(leave())
    wait_until(lambda: ("HTTPCode_ELB_4XX_Count", 1) in published(plane))


@pytest.mark.usefixtures("silence")
def test_a_group_reports_its_hosts_only_while_it_has_registered_targets(
    loop: Loop, plane: LoadBalancing
) -> None:
    """UnHealthyHostCount says nothing of a service without tasks (pitfall N10)."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response()

    group, empty = target_group("a", Backend(loop, answer)), target_group("b")
    plane.apply(forwarding({group: 1}))
    healthy(plane, group)
    found = published(plane)
    assert (found["HealthyHostCount", 2], found["UnHealthyHostCount", 2]) == (1, 0)
    plane.apply(forwarding({empty: 1}))
    assert published(plane) == {}


def published(plane: LoadBalancing) -> dict[tuple[str, int], Any]:
    """Return the values since the last time, by metric and number of dimensions."""
    data = plane.metrics.take(list(plane.data_plane.groups.values()))
    return {
        (item["MetricName"], len(item["Dimensions"])): item.get("Value", item.get("Counts"))
        for item in data.get(ACCOUNT, [])
    }
