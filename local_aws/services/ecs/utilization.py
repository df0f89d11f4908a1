"""CPUUtilization of a service: the CPU time that its tasks' processes use, of what their tasks reserve.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
"""

import logging
import time

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.host.process_times import cpu_seconds
from local_aws.services.ecs.records import EcsService, Task
from local_aws.services.ecs.state import EcsState

logger = logging.getLogger("local_aws")

# Seconds of AWS's time: twice in each of the minutes that alarms look at.
PUBLISH_EVERY = 30
# With a fast clock, more would tell nothing.
SHORTEST_SECONDS = 0.2
CPU_UNITS = 1024


class Utilization:
    """The metric of one service, on a thread of its own until the service is INACTIVE."""

    def __init__(self, ecs: EcsState, service: EcsService) -> None:
        self.ecs = ecs
        self.service = service
        # When each task was looked at, and the CPU seconds that it had used by then.
        self.seen: dict[str, tuple[float, float]] = {}

    def run(self) -> None:
        """Publish the metric twice a minute."""
        interval = max(self.ecs.context.clock.seconds(PUBLISH_EVERY), SHORTEST_SECONDS)
        while not self.ecs.ending.wait(interval):
            if self.service.content["status"] == "INACTIVE":
                return
            values = self.percentages()
            if values:
                self._publish(values)

    def percentages(self) -> list[float]:
        """Return what each running task used of its CPU since the last call."""
        before, self.seen = self.seen, {}
        values = []
        for task in self.ecs.tasks_of(self.service):
            if task.status != "RUNNING":
                continue
            now, used = time.monotonic(), sum(map(cpu_seconds, self.ecs.processes.get(task.arn, ())))
            self.seen[task.arn] = now, used
            if task.arn in before:
                since, used_before = before[task.arn]
                values.append(_percentage(task, max(used - used_before, 0.0), now - since))
        return values

    def _publish(self, values: list[float]) -> None:
        cluster = self.service.content["clusterArn"].rpartition("/")[2]
        dimensions = {"ClusterName": cluster, "ServiceName": self.service.name}
        datum = {
            "MetricName": "CPUUtilization",
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Values": values,
            "Unit": "Percent",
        }
        try:
            self.ecs.context.client("cloudwatch").put_metric_data(Namespace="AWS/ECS", MetricData=[datum])
        except (BotoCoreError, ClientError) as error:
            logger.warning("CPUUtilization of %s is lost: %s", self.service.name, error)


def _percentage(task: Task, used: float, elapsed: float) -> float:
    reserved = float(task.definition.get("cpu") or CPU_UNITS) / CPU_UNITS
    return round(100 * used / (elapsed * reserved), 2)
