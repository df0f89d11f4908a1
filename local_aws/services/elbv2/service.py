"""Elastic Load Balancing's data plane as a service: a loopback port for each listener, and its metrics."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local_aws.core.cloudformation import ResourceType
from local_aws.core.context import Context
from local_aws.services.elbv2.data_plane import DataPlane
from local_aws.services.elbv2.metrics import NAMESPACE, Metrics
from local_aws.services.elbv2.records import ElbSnapshot, Target
from local_aws.services.elbv2.resource_types import resource_types
from local_aws.services.elbv2.serializers import TargetHealthDescription, describe_target_health

# Seconds of AWS's time: twice in each of the minutes that alarms look at.
PUBLISH_EVERY = 30
# Longer than a data plane takes whose targets do not answer.
STOP_SECONDS = 10.0


class LoadBalancing:
    """The data plane of all load balancers. The control plane calls `apply` after each change.

    `records` returns the control plane's current state.
    """

    def __init__(self, context: Context, records: Callable[[], ElbSnapshot]) -> None:
        self.context = context
        self.metrics = Metrics()
        self.data_plane = DataPlane(context, self.metrics)
        self.lock = self.data_plane.lock
        self._records = records
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def resource_types(self) -> dict[str, ResourceType]:
        """Return CloudFormation's types."""
        return resource_types(self.context)

    def addresses(self) -> dict[str, str]:
        """Return where each listener really is: `<dns name>:<port>` to `127.0.0.1:<port>`."""
        return {name: f"127.0.0.1:{port}" for name, port in self.data_plane.addresses().items()}

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return the listeners' ports; their records are MiniStack's."""
        return {"ports": self.data_plane.ports()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Listen on the same ports again, once MiniStack has its records."""
        self.data_plane.apply(self._records(), kept["ports"])

    def shared(self) -> Mapping[str, Any]:
        """Share nothing."""
        return {}

    def start(self) -> None:
        """Start serving on a thread of its own."""
        ready = threading.Event()
        self._thread = self.context.spawn("elbv2", self._run, ready)
        ready.wait()
        self.context.spawn("elbv2-metrics", self._publish)

    def stop(self) -> None:
        """Close every port and connection."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def apply(self, snapshot: ElbSnapshot) -> None:
        """Put a new state of the control plane in force, ports included."""
        self.data_plane.apply(snapshot)

    def describe_health(self, target_group: str, targets: Sequence[Target]) -> list[TargetHealthDescription]:
        """Return the health of `targets`, or of all targets of the group when there are none."""
        return describe_target_health(self.data_plane.groups[target_group], targets)

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self.data_plane.serve(ready, self._stopped))

    def _publish(self) -> None:
        while not self.context.clock.wait(PUBLISH_EVERY, self._stopped):
            for account, data in self.metrics.take(list(self.data_plane.groups.values())).items():
                cloudwatch = self.context.client_of(account, "cloudwatch")
                cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)
