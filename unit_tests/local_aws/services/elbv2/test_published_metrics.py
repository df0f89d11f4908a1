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
    data = plane.metrics.take(list(plane.data_plane.groups.values()))[ACCOUNT]
    found: dict[tuple[str, int], Any] = {
        (item["MetricName"], len(item["Dimensions"])): item.get("Value", item.get("Counts")) for item in data
    }
    assert found["RequestCount", 2] == found["RequestCount", 1] == 3
    assert found["HTTPCode_Target_5XX_Count", 2] == 1
    assert found["HTTPCode_ELB_5XX_Count", 1] == 1
    assert sum(found["TargetResponseTime", 2]) == 3
    assert data[0]["Dimensions"][-1] == {"Name": "LoadBalancer", "Value": "app/lb/1"}
