"""The service scheduler: keeps the desired number of healthy tasks running in each task set of a service."""

import time
from collections.abc import Mapping

from local_aws.containers.health import allowance
from local_aws.services.ecs.insights import PerformanceLog
from local_aws.services.ecs.records import STARTING, EcsService, Task, TaskSet
from local_aws.services.ecs.state import new_id
from local_aws.services.ecs.targets import Targets
from local_aws.services.ecs.tasks import TaskOperations

# How often target health is checked when nothing else changes.
LOOK_SECONDS = 0.5
LONGEST_BACKOFF = 15.0
# After so many failed tasks in a row the service counts as impaired. AWS does not publish its number.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html
IMPAIRED_FAILURES = 3

# State of the target in each target group, by the group's ARN.
TargetStates = Mapping[str, str]


class Scheduler:
    """The scheduler of one service, on a thread of its own until the service is INACTIVE."""

    def __init__(self, ecs: TaskOperations, service: EcsService) -> None:
        self.ecs = ecs
        self.service = service
        self.steady = False
        self.performance_log = PerformanceLog(ecs, service)
        # Tasks that stopped under an earlier scheduler are not failures of this one.
        self.counted = {arn for arn, task in ecs.tasks.items() if task.status == "STOPPED"}

    def run(self) -> None:
        """Schedule the service's tasks until the service is INACTIVE."""
        while not self.ecs.ending.is_set():
            self.service.changed.wait(LOOK_SECONDS)
            self.service.changed.clear()
            target_states = self._target_states()
            self.performance_log.write()
            with self.ecs.lock:
                for task_set in list(self.service.task_sets):
                    self._schedule(task_set, target_states)
                self._drain_old_task_sets()
                if self._finished():
                    self.ecs.emit_service(self.service, "SERVICE_INACTIVE")
                    return

    def _target_states(self) -> dict[str, TargetStates]:
        """Return the target states of the running tasks, without the lock: they come from another service."""
        found: dict[str, TargetStates] = {}
        for task in self.ecs.tasks_of(self.service):
            if task.status == "RUNNING" and task.task_set is not None:
                balancers = task.task_set.content["loadBalancers"]
                found[task.arn] = Targets(self.ecs.context, balancers).health(task.address)
        return found

    def _schedule(self, task_set: TaskSet, target_states: Mapping[str, TargetStates]) -> None:
        desired = task_set.count(self.service.desired)
        self._count_failures(task_set)
        for task in self.ecs.tasks_of(self.service, task_set):
            self._stop_unhealthy(task, target_states.get(task.arn, {}))
        self._scale(task_set, desired)
        self._update(task_set, desired, target_states)
        if task_set.draining and not self.ecs.tasks_of(self.service, task_set):
            self.service.task_sets.remove(task_set)

    def _scale(self, task_set: TaskSet, desired: int) -> None:
        wanted = [task for task in self.ecs.tasks_of(self.service, task_set) if task.wanted]
        # Tasks that do not run yet are stopped first.
        wanted.sort(key=lambda task: task.status == "RUNNING")
        for task in wanted[: max(0, len(wanted) - desired)]:
            reason = f"Scaling activity initiated by (deployment {task_set.id})"
            task.request_stop("ServiceSchedulerInitiated", reason)
        # Once local_aws stops, nothing would end a task that is started now.
        if time.monotonic() >= task_set.not_before and not self.ecs.ending.is_set():
            for _ in range(desired - len(wanted)):
                self._start(task_set)

    def _start(self, task_set: TaskSet) -> None:
        cluster = self.ecs.cluster(self.service.content["clusterArn"])
        definition = self.ecs.described_definition(task_set.content["taskDefinition"])
        params = {**task_set.content, "startedBy": task_set.id}
        source = self.service.content["propagateTags"]
        if source in ("SERVICE", "TASK_DEFINITION"):
            arn = self.service.arn if source == "SERVICE" else definition["taskDefinitionArn"]
            params["tags"] = self.ecs.tag_list(arn)
        task = self.ecs.new_task(cluster, definition, f"service:{self.service.name}", params, task_set)
        self.service.add_event(f"has started 1 tasks: (task {task.id}).", new_id())
        self.ecs.begin(task)

    def _count_failures(self, task_set: TaskSet) -> None:
        """Delay the next start after a task that failed, longer after each further failure."""
        for task in self.ecs.tasks.values():
            if task.task_set is not task_set or task.status != "STOPPED" or task.arn in self.counted:
                continue
            self.counted.add(task.arn)
            if task.content["stopCode"] in ("TaskFailedToStart", "EssentialContainerExited"):
                task_set.failures += 1
                wait = min(0.5 * 2 ** min(task_set.failures, 10), LONGEST_BACKOFF)
                if task.running_since is not None and task_set.failures == 1:
                    wait = 0.0
                task_set.not_before = time.monotonic() + wait
                self.service.add_event(_failure(task.content["stoppedReason"]), new_id())
                if task_set.failures == IMPAIRED_FAILURES:
                    self.service.add_event("is unable to consistently start tasks successfully.", new_id())
                    self.ecs.emit_service(self.service, "SERVICE_TASK_START_IMPAIRED", "WARN")

    def _stop_unhealthy(self, task: Task, states: TargetStates) -> None:
        if not task.wanted or task.running_since is None:
            return
        grace = float(self.service.content["healthCheckGracePeriodSeconds"])
        if time.monotonic() - task.running_since < allowance(self.ecs.context.clock, grace):
            return
        unhealthy = [arn for arn, state in states.items() if state == "unhealthy"]
        if unhealthy:
            reason = f"Task failed ELB health checks in (target-group {unhealthy[0]})"
        elif task.content["healthStatus"] == "UNHEALTHY":
            reason = "Task failed container health checks"
        else:
            return
        self.service.add_event(f"(task {task.id}) is unhealthy: {reason}.", new_id())
        task.request_stop("ServiceSchedulerInitiated", reason)

    def _update(self, task_set: TaskSet, desired: int, target_states: Mapping[str, TargetStates]) -> None:
        """Update the task set's counts and its stability."""
        tasks = self.ecs.tasks_of(self.service, task_set)
        running = [task for task in tasks if task.status == "RUNNING" and task.wanted]
        pending = [task for task in tasks if task.status in STARTING]
        healthy = [task for task in running if _is_healthy(task, target_states.get(task.arn, {}))]
        task_set.set_counts(len(running), len(pending), desired)
        task_set.set_steady(len(healthy) == desired == len(tasks) and not pending)
        if task_set.content["status"] == "PRIMARY":
            self._announce_steady_state(task_set.steady)

    def _announce_steady_state(self, steady: bool) -> None:
        if steady and not self.steady:
            self.service.add_event("has reached a steady state.", new_id())
            self.ecs.emit_service(self.service, "SERVICE_STEADY_STATE")
        self.steady = steady

    def _drain_old_task_sets(self) -> None:
        """End a rolling update: drain the old task sets once the new one is steady."""
        if self.service.controller != "ECS":
            return
        primary = self.service.primary()
        if primary is not None and primary.steady:
            for task_set in self.service.task_sets:
                if task_set is not primary:
                    task_set.content["status"] = "DRAINING"

    def _finished(self) -> bool:
        if self.service.active or self.ecs.tasks_of(self.service):
            return False
        self.service.task_sets.clear()
        self.service.content["status"] = "INACTIVE"
        return True


def _is_healthy(task: Task, states: TargetStates) -> bool:
    """Return whether container health checks and load balancers both report a task as healthy."""
    checked = any(container.get("healthCheck") for container in task.definition["containerDefinitions"])
    if checked and task.content["healthStatus"] != "HEALTHY":
        return False
    if task.task_set is None or not task.task_set.content["loadBalancers"]:
        return True
    return bool(states) and all(state == "healthy" for state in states.values())


def _failure(reason: str) -> str:
    """Return the event about a task that did not start or keep running.

    Of a role that ECS cannot assume, AWS's words: https://github.com/aws-samples/aws-modern-application-workshop/issues/88
    """
    if "unable to assume the role" in reason:
        return f"failed to launch a task with (error {reason})."
    return f"was unable to place or keep a task. Reason: {reason}."
