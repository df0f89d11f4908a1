"""The waits of a deployment: by the clock, until a request to stop, an alarm or the end of the server."""

import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.core.context import Context
from local_aws.services.codedeploy.errors import ServerStoppedError, stopped_by_alarms, stopped_by_user
from local_aws.services.codedeploy.records import Deployment

# AWS's seconds. Work that AWS gives an hour gets at least `LEAST_REAL_SECONDS` on this machine.
HOUR = 3600
LEAST_REAL_SECONDS = 60.0
ALARM_POLL_SECONDS = 10
POLL_SECONDS = 0.25


class DeploymentWaiter:
    """The waits of one deployment."""

    def __init__(self, context: Context, deployment: Deployment, stopping: Callable[[], bool]) -> None:
        self.context = context
        self.deployment = deployment
        self.stopping = stopping
        self._alarms_due = 0.0

    def hour(self) -> float:
        """Return the seconds on this machine for work that AWS gives 60 minutes."""
        return max(self.context.clock.seconds(HOUR), LEAST_REAL_SECONDS)

    def check(self) -> None:
        """End the deployment when it was stopped or one of its alarms is in ALARM."""
        if self.stopping():
            raise ServerStoppedError
        if self.deployment.stop is not None:
            raise stopped_by_user()
        alarms = self.deployment.alarms
        if alarms.get("enabled", False) and time.monotonic() >= self._alarms_due:
            self._alarms_due = time.monotonic() + max(self.context.clock.seconds(ALARM_POLL_SECONDS), 0.5)
            self._check_alarms([alarm["name"] for alarm in alarms.get("alarms", [])])

    def pause(self, aws_seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
        """Wait for AWS's seconds by the clock, or until `done`; return whether it was done."""
        return self.until(done, self.context.clock.seconds(aws_seconds))

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait for seconds of this machine, or until `done`; return whether it was done."""
        deadline = time.monotonic() + seconds
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.check()
            self.deployment.wake.wait(min(POLL_SECONDS, left))
            self.deployment.wake.clear()
        return True

    def _check_alarms(self, names: list[str]) -> None:
        if not names:
            return
        cloudwatch = self.context.client("cloudwatch", self.deployment.group.role(self.context))
        try:
            found = cloudwatch.describe_alarms(
                AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
            )
        except (ClientError, BotoCoreError):
            if self.deployment.alarms.get("ignorePollAlarmFailure"):
                return
            raise
        alarms = [*found["MetricAlarms"], *found["CompositeAlarms"]]
        active = [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]
        if active:
            raise stopped_by_alarms(active)
