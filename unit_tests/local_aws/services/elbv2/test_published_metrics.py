"""The metrics that the data plane publishes."""

from typing import Any

import pytest
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
    assert get(plane, headers={"Connection": "Upgrade", "Upgrade": "websocket"}).status_code == 501
    found = published(plane)
    assert found["RequestCount", 2] == found["HTTPCode_ELB_502_Count", 1] == 1
    assert found["HTTPCode_ELB_5XX_Count", 1] == 2
    assert not {name for name, _ in found} & {"HTTPCode_ELB_501_Count", "HTTPCode_Target_5XX_Count"}


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
