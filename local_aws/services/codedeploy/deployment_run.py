"""Runs one deployment: its lifecycle events in order, with AWS's waits by the clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.core.api import now
from local_aws.core.context import Context
from local_aws.services.codedeploy import waiter
from local_aws.services.codedeploy.appspec import AppSpec, AppSpecError, check_container, parse
from local_aws.services.codedeploy.errors import (
    DeploymentEndedError,
    ServerStoppedError,
    from_client_error,
    green_timed_out,
)
from local_aws.services.codedeploy.hooks import Hooks
from local_aws.services.codedeploy.records import Deployment
from local_aws.services.codedeploy.revisions import read_content
from local_aws.services.codedeploy.serializers import describe_task_set
from local_aws.services.codedeploy.task_sets import TaskSetDescription, TaskSets, target_group
from local_aws.services.codedeploy.traffic_routes import TrafficRoutes
from local_aws.services.codedeploy.waiter import DeploymentWaiter

Value = TypeVar("Value")


class DeploymentRun:
    """One deployment on its thread. It calls `changed` after each change of the status."""

    def __init__(
        self,
        context: Context,
        deployment: Deployment,
        hooks: Hooks,
        changed: Callable[[Deployment], None],
        stopping: Callable[[], bool],
    ) -> None:
        self.context = context
        self.deployment = deployment
        self.hooks = hooks
        self.changed = changed
        self.stopping = stopping
        self.progress = deployment.progress
        self.waiter = DeploymentWaiter(context, deployment, stopping)

    @cached_property
    def task_sets(self) -> TaskSets:
        """The service's task sets, read as the deployment group's role."""
        service = self.deployment.settings["ecsServices"][0]
        return TaskSets(self._client("ecs"), service["clusterName"], service["serviceName"])

    @cached_property
    def traffic(self) -> TrafficRoutes:
        """The listeners of the deployment group's pair of target groups."""
        pair = self.deployment.settings["loadBalancerInfo"]["targetGroupPairInfoList"][0]
        return TrafficRoutes(self._client("elbv2"), pair)

    def deploy(self) -> None:
        """Run the deployment; raises `DeploymentEndedError` when it does not succeed."""
        with self._end_on_client_error():
            self.waiter.check()
            spec = self._prepare()
            self._hook("BeforeInstall", spec)
            with self.step("Install"):
                self._install(spec)
            self._hook("AfterInstall", spec)
            self._test_traffic(spec)
            self._wait_until_ready()
            self._hook("BeforeAllowTraffic", spec)
            with self.step("AllowTraffic"):
                self._shift()
            self._hook("AfterAllowTraffic", spec)
            self._terminate_blue()

    def resume(self) -> None:
        """End a deployment of an earlier local_aws: blue is deleted if green has all traffic.

        Otherwise raises `DeploymentEndedError`, as for an error of CodeDeploy itself, and may roll back.
        """
        if self.deployment.events["AfterAllowTraffic"].status != "Succeeded":
            end = DeploymentEndedError("INTERNAL_ERROR", "local_aws ended in the middle of the deployment.")
            for event in self.deployment.events.values():
                if event.status == "InProgress":
                    event.status, event.ended, event.message = "Failed", now(), str(end)
            raise end
        with self._end_on_client_error():
            self._terminate_blue()

    def roll_back(self) -> None:
        """Roll back the deployment whose progress this one shares: traffic to blue, then green deleted."""
        blue = self.progress.blue
        with self._end_on_client_error():
            with self.step("AllowTraffic"):
                self.traffic.restore(self.progress.saved)
                if blue is not None and self.task_sets.primary()["id"] != blue["id"]:
                    self.task_sets.make_primary(blue["id"])
                self.refresh()
            if self.progress.green is not None:
                self._delete(self.progress.green)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Record a lifecycle event's status around its work."""
        event = self.deployment.events[name]
        event.status, event.started = "InProgress", now()
        try:
            with self._end_on_client_error():
                self.waiter.check()
                yield
        except Exception as error:
            event.status, event.ended, event.message = "Failed", now(), str(error)
            raise
        event.status, event.ended = "Succeeded", now()

    def refresh(self) -> list[TaskSetDescription]:
        """Record the current task sets, for GetDeploymentTarget."""
        found = self.task_sets.all()
        self.deployment.task_sets = [
            describe_task_set(
                item,
                self.traffic.names.get(target_group(item), ""),
                self.traffic.share(self.traffic.production, target_group(item)),
                "Green" if item["id"] == self.progress.green else "Blue",
            )
            for item in found
        ]
        return found

    def _client(self, service: str) -> Any:
        return self.context.client(service, self.deployment.group.role(self.context))

    @contextmanager
    def _end_on_client_error(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise from_client_error(error) from error
        except BotoCoreError as error:
            if self.stopping():
                raise ServerStoppedError from error
            raise

    def _prepare(self) -> AppSpec:
        """Read the AppSpec, and check the service, the listeners and the task definition."""
        try:
            spec = parse(read_content(lambda: self._client("s3"), self.deployment.revision))
            # Not as the role: on AWS, AWSCodeDeployRoleForECS does not need this permission.
            ecs = self.context.client("ecs")
            described = ecs.describe_task_definition(taskDefinition=spec.task_definition)
            check_container(spec, described["taskDefinition"])
        except AppSpecError as error:
            raise DeploymentEndedError("INVALID_REVISION", str(error)) from error
        except ClientError as error:
            if error.operation_name != "DescribeTaskDefinition":
                raise
            raise DeploymentEndedError("INVALID_REVISION", error.response["Error"]["Message"]) from error
        self.deployment.service_arn = self.task_sets.describe_service()["serviceArn"]
        self.progress.blue = blue = self.task_sets.primary()
        self.traffic.check_behind(target_group(blue))
        return spec

    def _install(self, spec: AppSpec) -> None:
        blue = self._required(self.progress.blue)
        self.progress.saved = self.traffic.save()
        green_group = self.traffic.other(target_group(blue))
        # Task sets left by a failed deployment without rollback: first their traffic, then their tasks.
        self.traffic.shift(self.traffic.production, green_group, 0)
        for task_set in self.task_sets.all():
            if task_set["id"] != blue["id"]:
                self._delete(task_set["id"])
        self.progress.green = self.task_sets.create(self.deployment.id, spec, green_group, blue)
        limit = self.waiter.hour()
        if not self.waiter.until(lambda: self._is_healthy(green_group), limit):
            raise green_timed_out()

    def _is_healthy(self, green_group: str) -> bool:
        green = next((item for item in self.refresh() if item["id"] == self.progress.green), None)
        if green is None:
            raise DeploymentEndedError("ECS_UPDATE_ERROR", f"The task set {self.progress.green} is gone.")
        wanted = int(green["computedDesiredCount"])
        steady = green["stabilityStatus"] == "STEADY_STATE" and int(green["runningCount"]) >= wanted
        return steady and self._healthy_targets(green_group) >= wanted

    def _healthy_targets(self, target_group: str) -> int:
        """Return how many healthy targets a group has, 0 when one of its targets is not.

        On AWS this is part of the task set's steady state. It is checked here because a wrong steady state
        would shift traffic to targets that do not answer; and not as the role, which has no permission.
        """
        elbv2 = self.context.client("elbv2")
        described = elbv2.describe_target_health(TargetGroupArn=target_group)
        states = [item["TargetHealth"]["State"] for item in described["TargetHealthDescriptions"]]
        registered = [state for state in states if state != "draining"]
        return len(registered) if all(state == "healthy" for state in registered) else 0

    def _test_traffic(self, spec: AppSpec) -> None:
        if self.traffic.test is None:
            for name in ("AllowTestTraffic", "AfterAllowTestTraffic"):
                self.deployment.events[name].status = "Skipped"
            return
        with self.step("AllowTestTraffic"):
            self.traffic.shift(self.traffic.test, self._green_group(), 100)
        self._hook("AfterAllowTestTraffic", spec)

    def _green_group(self) -> str:
        return self.traffic.other(target_group(self._required(self.progress.blue)))

    @staticmethod
    def _required(value: Value | None) -> Value:
        if value is None:
            raise RuntimeError("a lifecycle event ran before the one that it needs")
        return value

    def _wait_until_ready(self) -> None:
        option = self._blue_green().get("deploymentReadyOption", {})
        if option.get("actionOnTimeout") != "STOP_DEPLOYMENT":
            return
        self.deployment.status = "Ready"
        self.changed(self.deployment)
        minutes = option.get("waitTimeInMinutes", 0)
        if not self.waiter.pause(minutes * 60, lambda: "READY_WAIT" in self.deployment.skip):
            text = f"The deployment was not continued within {minutes} minutes."
            raise DeploymentEndedError("TIMEOUT", text, "Stopped")
        self.deployment.status = "InProgress"

    def _shift(self) -> None:
        for part in self.deployment.config.steps():
            self.traffic.shift(self.traffic.production, self._green_group(), part.percentage)
            self.refresh()
            self.waiter.pause(part.minutes * 60)
        self.task_sets.make_primary(self._required(self.progress.green))
        self.refresh()

    def _terminate_blue(self) -> None:
        option = self._blue_green().get("terminateBlueInstancesOnDeploymentSuccess", {})
        self.deployment.termination_wait_started = True
        minutes = option.get("terminationWaitTimeInMinutes", 0)
        self.waiter.pause(minutes * 60, lambda: "TERMINATION_WAIT" in self.deployment.skip)
        self.waiter.check()
        self.progress.reversible = False
        self._delete(self._required(self.progress.blue)["id"])

    def _delete(self, task_set: str) -> None:
        """Delete a task set and wait until its tasks have drained and stopped (pitfall E2)."""
        self.task_sets.delete(task_set)
        deadline = time.monotonic() + self.waiter.hour()
        while any(item["id"] == task_set for item in self.refresh()):
            if self.stopping():
                raise ServerStoppedError
            if time.monotonic() > deadline:
                raise DeploymentEndedError("ECS_UPDATE_ERROR", f"The task set {task_set} was not deleted.")
            time.sleep(waiter.POLL_SECONDS)

    def _blue_green(self) -> dict[str, Any]:
        settings: dict[str, Any] = self.deployment.settings.get("blueGreenDeploymentConfiguration", {})
        return settings

    def _hook(self, name: str, spec: AppSpec) -> None:
        with self.step(name):
            if name not in spec.hooks:
                return
            execution = self.hooks.invoke(self._client("lambda"), self.deployment.id, spec.hooks[name])
            limit = self.waiter.hour()
            if not self.waiter.until(lambda: self.hooks.succeeded(execution, name), limit):
                text = f"The validation hook of {name} did not report within one hour."
                raise DeploymentEndedError("HOOK_EXECUTION_FAILURE", text)
