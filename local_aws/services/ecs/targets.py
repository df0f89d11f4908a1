"""A task as a target of load balancers: registration, health, draining and deregistration."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.core.context import Context

POLL_SECONDS = 0.2
# How long the load balancer may take, after the deregistration delay, to end the rest.
LATE_SECONDS = 5.0


class Targets:
    """The target groups of one task set, for one of its tasks."""

    def __init__(self, context: Context, balancers: Sequence[Mapping[str, Any]]) -> None:
        self.context = context
        self.balancers = [balancer for balancer in balancers if balancer.get("targetGroupArn")]
        self.registered = False

    @property
    def client(self) -> Any:
        """ELBv2, called as ECS's service-linked role."""
        return self.context.client("elbv2")

    def register(self, address: str) -> None:
        """Register the task with every target group."""
        for balancer in self.balancers:
            self.client.register_targets(
                TargetGroupArn=balancer["targetGroupArn"], Targets=[_target(address, balancer)]
            )
            self.registered = True

    def health(self, address: str) -> dict[str, str]:
        """Return the state of the task in each target group, as `healthy`, by the group's ARN."""
        found = {}
        for balancer in self.balancers:
            arn = balancer["targetGroupArn"]
            try:
                answer = self.client.describe_target_health(
                    TargetGroupArn=arn, Targets=[_target(address, balancer)]
                )
            except (BotoCoreError, ClientError):
                found[arn] = "unavailable"  # the group no longer exists, so the task cannot be healthy in it
                continue
            described = answer["TargetHealthDescriptions"]
            found[arn] = described[0]["TargetHealth"]["State"] if described else "unused"
        return found

    def deregister(self, address: str, *, drain: bool, stop: threading.Event) -> None:
        """Deregister the task; with `drain`, wait for the deregistration delay of its connections."""
        self.registered = False
        if stop.is_set():
            return
        for balancer in self.balancers:
            arn, target = balancer["targetGroupArn"], _target(address, balancer)
            try:
                delay = self._delay(arn)
                self.client.deregister_targets(TargetGroupArn=arn, Targets=[target])
            except ClientError:
                continue  # the target group was deleted before its service: nothing drains
            if drain:
                self._wait(arn, address, self.context.clock.seconds(delay) + LATE_SECONDS, stop)

    def _delay(self, arn: str) -> float:
        attributes = self.client.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        values = {attribute["Key"]: attribute["Value"] for attribute in attributes}
        return float(values.get("deregistration_delay.timeout_seconds", 300))

    def _wait(self, arn: str, address: str, seconds: float, stop: threading.Event) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not stop.is_set():
            if self.health(address).get(arn) != "draining":
                return
            stop.wait(POLL_SECONDS)


def _target(address: str, balancer: Mapping[str, Any]) -> dict[str, Any]:
    return {"Id": address, "Port": balancer["containerPort"]}
