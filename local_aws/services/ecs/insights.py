"""The performance log of Container Insights: a record of each service's counts a minute (pitfall H3).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-ECS.html
"""

import json
import logging
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.services.ecs.records import EcsService
from local_aws.services.ecs.state import EcsState

logger = logging.getLogger("local_aws")

AWS_SECONDS = 60
# With a fast clock, more records would tell nothing.
SHORTEST_SECONDS = 5.0


class PerformanceLog:
    """The records of one service."""

    def __init__(self, ecs: EcsState, service: EcsService) -> None:
        self.ecs = ecs
        self.service = service
        self.due = 0.0

    def write(self) -> None:
        """Write a record if one is due and the cluster has Container Insights."""
        now = time.monotonic()
        name = self.service.content["clusterArn"].rpartition("/")[2]
        if now < self.due or not _has_insights(self.ecs.clusters.get(name, {})):
            return
        self.due = now + max(self.ecs.context.clock.seconds(AWS_SECONDS), SHORTEST_SECONDS)
        try:
            self._put(f"/aws/ecs/containerinsights/{name}/performance", json.dumps(self._record(name)))
        except (BotoCoreError, ClientError) as error:
            logger.warning("a Container Insights record of %s is lost: %s", self.service.name, error)

    def _record(self, cluster: str) -> dict[str, Any]:
        task_sets = list(self.service.task_sets)
        return {
            "Type": "Service",
            "ClusterName": cluster,
            "ServiceName": self.service.name,
            "Timestamp": int(time.time() * 1000),
            "DesiredTaskCount": self.service.desired,
            "RunningTaskCount": sum(int(one.content["runningCount"]) for one in task_sets),
            "PendingTaskCount": sum(int(one.content["pendingCount"]) for one in task_sets),
            "TaskSetCount": len(task_sets),
        }

    def _put(self, group: str, record: str) -> None:
        """Write to the group. As on AWS, one that does not exist is created, and never expires."""
        logs = self.ecs.context.client("logs")
        place = {"logGroupName": group, "logStreamName": f"ServiceTelemetry-{self.service.name}"}
        event = {"timestamp": int(time.time() * 1000), "message": record}
        try:
            logs.put_log_events(**place, logEvents=[event])
        except logs.exceptions.ResourceNotFoundException:
            if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
                logs.create_log_group(logGroupName=group)
            logs.create_log_stream(**place)
            logs.put_log_events(**place, logEvents=[event])


def _has_insights(cluster: dict[str, Any]) -> bool:
    settings = {one["name"]: one["value"] for one in cluster.get("settings", [])}
    return bool(settings.get("containerInsights", "disabled") != "disabled")
