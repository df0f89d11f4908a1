"""The service scheduler: keeps as many healthy tasks in a task set as it shall run, and tells if steady."""

import time
from typing import TYPE_CHECKING

from local_aws.containers.health import allowance
from local_aws.core.api import now
from local_aws.services.ecs.records import STARTING, Service, Task, TaskSet
from local_aws.services.ecs.state import new_id
from local_aws.services.ecs.targets import Targets

if TYPE_CHECKING:
    from local_aws.services.ecs.service import Ecs

# How often target health is looked at when nothing else happens.
LOOK_SECONDS = 0.5
LONGEST_BACKOFF = 15.0


class Scheduler:
    """The scheduler of one service, on a thread of its own until the service is INACTIVE."""

    def __init__(self, ecs: "Ecs", service: Service) -> None:
        self.ecs = ecs
        self.service = service
        self.steady = False
        # Those that an earlier scheduler of this service saw end say nothing of the next.
        self.counted = {arn for arn, task in ecs.tasks.items() if task.status == "STOPPED"}

    def run(self) -> None:
        """Look after the service until it is gone."""
        while not self.ecs.ending.is_set():
            self.service.changed.wait(LOOK_SECONDS)
            self.service.changed.clear()
            healths = self._healths()
            with self.ecs.lock:
                for task_set in list(self.service.task_sets):
                    self._schedule(task_set, healths)
                self._roll()
                if self._finished():
                    self.ecs.emit_service(self.service, "SERVICE_INACTIVE")
                    return

    def _healths(self) -> dict[str, dict[str, str]]:
        """Ask the load balancers about the running tasks, without the lock: they are another service."""
        found = {}
        for task in self.ecs.tasks_of(self.service):
            if task.status == "RUNNING" and task.task_set is not None:
                balancers = task.task_set.content["loadBalancers"]
                found[task.arn] = Targets(self.ecs.context, balancers).health(task.address)
        return found

    def _schedule(self, task_set: TaskSet, healths: dict[str, dict[str, str]]) -> None:
        tasks = self.ecs.tasks_of(self.service, task_set)
        self._count_failures(task_set)
        for task in tasks:
            self._stop_unhealthy(task, healths.get(task.arn, {}))
        wanted = [task for task in tasks if task.wanted]
        desired = task_set.count(self.service.desired)
        for task in sorted(wanted, key=lambda task: task.status == "RUNNING")[
            : max(0, len(wanted) - desired)
        ]:
            reason = f"Scaling activity initiated by (deployment {task_set.id})"
            task.ask_to_stop("ServiceSchedulerInitiated", reason)
        # Once local_aws stops, nothing would end a task that is started now.
        ready = time.monotonic() >= task_set.not_before and not self.ecs.ending.is_set()
        if len(wanted) < desired and ready:
            for _ in range(desired - len(wanted)):
                self._start(task_set)
        self._settle(task_set, desired, healths)
        if task_set.draining and not self.ecs.tasks_of(self.service, task_set):
            self.service.task_sets.remove(task_set)

    def _start(self, task_set: TaskSet) -> None:
        cluster = self.ecs.cluster(self.service.content["clusterArn"])
        definition = self.ecs.definition(task_set.content["taskDefinition"], active=False)
        params = {**task_set.content, "startedBy": task_set.id}
        source = self.service.content["propagateTags"]
        if source in ("SERVICE", "TASK_DEFINITION"):
            arn = self.service.arn if source == "SERVICE" else definition["taskDefinitionArn"]
            params["tags"] = self.ecs.tag_list(arn)
        task = self.ecs.new_task(cluster, definition, f"service:{self.service.name}", params, task_set)
        self.service.note(f"has started 1 tasks: (task {task.id}).", new_id())
        self.ecs.begin(task)

    def _count_failures(self, task_set: TaskSet) -> None:
        """Start no task at once after one that never ran, and a little later after each further one."""
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
                text = f"was unable to place or keep a task. Reason: {task.content['stoppedReason']}."
                self.service.note(text, new_id())

    def _stop_unhealthy(self, task: Task, health: dict[str, str]) -> None:
        if not task.wanted or task.running_since is None:
            return
        grace = float(self.service.content["healthCheckGracePeriodSeconds"])
        if time.monotonic() - task.running_since < allowance(self.ecs.context.clock, grace):
            return
        bad = [arn for arn, state in health.items() if state == "unhealthy"]
        if bad:
            reason = f"Task failed ELB health checks in (target-group {bad[0]})"
        elif task.content["healthStatus"] == "UNHEALTHY":
            reason = "Task failed container health checks"
        else:
            return
        self.service.note(f"(task {task.id}) is unhealthy: {reason}.", new_id())
        task.ask_to_stop("ServiceSchedulerInitiated", reason)

    def _settle(self, task_set: TaskSet, desired: int, healths: dict[str, dict[str, str]]) -> None:
        tasks = self.ecs.tasks_of(self.service, task_set)
        running = [task for task in tasks if task.status == "RUNNING" and task.wanted]
        pending = [task for task in tasks if task.status in STARTING]
        healthy = [task for task in running if _healthy(task, healths)]
        steady = len(healthy) == desired == len(tasks) and not pending
        content = task_set.content
        counts = {"runningCount": len(running), "pendingCount": len(pending), "computedDesiredCount": desired}
        if any(content[key] != value for key, value in counts.items()):
            content.update(counts, updatedAt=now())
        status = "STEADY_STATE" if steady else "STABILIZING"
        if content["stabilityStatus"] != status:
            content.update(stabilityStatus=status, stabilityStatusAt=now(), updatedAt=now())
        if steady:
            task_set.failures = 0
        if content["status"] == "PRIMARY" and steady != self.steady:
            self.steady = steady
            if steady:
                self.service.note("has reached a steady state.", new_id())
                self.ecs.emit_service(self.service, "SERVICE_STEADY_STATE")

    def _roll(self) -> None:
        """End a rolling update: once the new tasks are steady the old ones go."""
        if self.service.controller != "ECS":
            return
        primary = self.service.primary()
        if primary is not None and primary.content["stabilityStatus"] == "STEADY_STATE":
            for one in self.service.task_sets:
                if one is not primary:
                    one.content["status"] = "DRAINING"

    def _finished(self) -> bool:
        if self.service.active or self.ecs.tasks_of(self.service):
            return False
        self.service.task_sets.clear()
        self.service.content["status"] = "INACTIVE"
        return True


def _healthy(task: Task, healths: dict[str, dict[str, str]]) -> bool:
    """Tell whether load balancers and container health checks both say that the task is well."""
    checked = any(one.get("healthCheck") for one in task.definition["containerDefinitions"])
    if checked and task.content["healthStatus"] != "HEALTHY":
        return False
    balanced = bool(task.task_set and task.task_set.content["loadBalancers"])
    states = healths.get(task.arn)
    return not balanced or bool(states and all(state == "healthy" for state in states.values()))
