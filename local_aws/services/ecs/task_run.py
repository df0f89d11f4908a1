"""Runs one task, from PROVISIONING to STOPPED in ECS's order of steps."""

import threading
import time
from typing import Any

from botocore.exceptions import ClientError

from local_aws.containers import health as container_health
from local_aws.containers.engine import Container, ContainerError, PullError
from local_aws.containers.health import HealthCheck, check_command
from local_aws.core.api import now
from local_aws.host.interpreters import PythonNotFoundError
from local_aws.services.ecs import task_start
from local_aws.services.ecs.errors import TaskStartError, cannot_start
from local_aws.services.ecs.records import Task
from local_aws.services.ecs.state import EcsState
from local_aws.services.ecs.targets import Targets
from local_aws.services.ecs.task_logs import LogStream

DEFAULT_STOP_TIMEOUT = 30
# The exit code of a container after SIGKILL.
KILLED = 137
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


class TaskRun:
    """One run of a task. Each of its containers that is RUNNING has a process."""

    def __init__(self, ecs: EcsState, task: Task) -> None:
        self.ecs = ecs
        self.task = task
        self.containers: dict[str, Container] = {}
        self.logs: list[LogStream] = []
        self.address = ""
        balancers = task.task_set.content["loadBalancers"] if task.task_set else []
        self.targets = Targets(ecs.context, balancers)
        self.over = threading.Event()

    def run(self) -> None:
        """Run the task until it has stopped (the body of its thread)."""
        try:
            self._start()
            if self.task.wanted:
                self._run_containers()
        finally:
            self._end()

    def end_lost_task(self) -> None:
        """End a task whose containers were killed with the local_aws process that ran them."""
        self.address = self.task.address
        self.targets.registered = bool(self.address)
        with self.ecs.lock:
            self.task.request_stop("EssentialContainerExited", "local_aws ended, and the task with it")
            for container in self.task.content["containers"]:
                container.setdefault("exitCode", KILLED)
        self._end()

    def _start(self) -> None:
        try:
            self._take_address()
            self._set_status("PENDING")
            secrets = task_start.read_secrets(self.ecs.context, self.task)
            images = task_start.pull(self.ecs, self.task)
            self._start_containers(images, secrets)
            if self.task.wanted:
                self._set_status("ACTIVATING")
                self.targets.register(self.address)
        except TaskStartError as error:
            self.task.request_stop("TaskFailedToStart", str(error))
        except PullError as error:
            self.task.request_stop("TaskFailedToStart", f"CannotPullContainerError: {error}")
        except (ContainerError, PythonNotFoundError) as error:
            self.task.request_stop("TaskFailedToStart", cannot_start(str(error)))
        except ClientError as error:
            self.task.request_stop("TaskFailedToStart", f"ResourceInitializationError: {error}")

    def _take_address(self) -> None:
        self.address = self.ecs.containers.address()
        attachment = self.task.content["attachments"][0]
        with self.ecs.lock:
            attachment["status"] = "ATTACHED"
            attachment["details"].append({"name": "privateIPv4Address", "value": self.address})
            for container in self.task.content["containers"]:
                interface = {"attachmentId": attachment["id"], "privateIpv4Address": self.address}
                container["networkInterfaces"] = [interface]

    def _start_containers(self, images: dict[str, str], secrets: dict[str, str]) -> None:
        for definition in self.task.definition["containerDefinitions"]:
            if not self.task.wanted:
                return
            name = definition["name"]
            log = task_start.open_log(self.ecs.context, self.task, definition)
            if log is not None:
                self.logs.append(log)
            spec = task_start.make_spec(
                self.ecs.context,
                self.task,
                definition,
                image=images[name],
                address=self.address,
                secrets=secrets,
            )
            container = self.ecs.containers.start(spec, log.write if log else _discard)
            self.containers[name] = container
            with self.ecs.lock:
                self.ecs.processes.setdefault(self.task.arn, []).append(container.process_id)
                self.task.container(name).update(lastStatus="RUNNING", runtimeId=container.id)
            threading.Thread(
                target=self._watch, args=(name, definition, container), name=f"watch-{name}", daemon=True
            ).start()

    def _watch(self, name: str, definition: dict[str, Any], container: Container) -> None:
        """Record the end of a container; an essential one ends the task."""
        code = container.wait()
        essential = definition.get("essential", True)
        # https://repost.aws/knowledge-center/ecs-resolve-outofmemory-errors
        reason = {"reason": OUT_OF_MEMORY} if container.out_of_memory else {}
        with self.ecs.lock:
            self.task.container(name).update(lastStatus="STOPPED", exitCode=code, **reason)
            if essential:
                self.task.request_stop("EssentialContainerExited", "Essential container in task exited")
        if essential:
            self.ecs.wake_scheduler(self.task)

    def _run_containers(self) -> None:
        self.task.running_since = time.monotonic()
        with self.ecs.lock:
            # The task may have stopped already: a process may exit while its target is registered.
            if self.task.wanted:
                self.task.content.update(startedAt=now(), connectivityAt=now())
        if self.task.wanted:
            self._set_status("RUNNING")
        for definition in self.task.definition["containerDefinitions"]:
            self._check_health(definition)
        self.task.stopping.wait()

    def _check_health(self, definition: dict[str, Any]) -> None:
        content = definition.get("healthCheck")
        command = check_command((content or {}).get("command", ()))
        if not content or command is None:
            return
        check = HealthCheck(
            command,
            content.get("interval", 30),
            content.get("timeout", 5),
            content.get("retries", 3),
            content.get("startPeriod", 0),
        )
        container = self.containers[definition["name"]]

        def note(status: str) -> None:
            with self.ecs.lock:
                self.task.container(definition["name"])["healthStatus"] = status
                self.task.content["healthStatus"] = self._health()
            self.ecs.wake_scheduler(self.task)
            if status == "UNHEALTHY" and self.task.task_set is None and definition.get("essential", True):
                self.task.request_stop("UserInitiated", "Task failed container health checks")

        threading.Thread(
            target=container_health.watch,
            args=(container, check, self.ecs.context.clock, note, self.over),
            name=f"health-{definition['name']}",
            daemon=True,
        ).start()

    def _health(self) -> str:
        checked = [
            self.task.container(container["name"])["healthStatus"]
            for container in self.task.definition["containerDefinitions"]
            if container.get("healthCheck") and container.get("essential", True)
        ]
        if "UNHEALTHY" in checked:
            return "UNHEALTHY"
        return "HEALTHY" if checked and set(checked) == {"HEALTHY"} else "UNKNOWN"

    def _end(self) -> None:
        """Deregister, drain, SIGTERM, stopTimeout, SIGKILL (pitfall N2)."""
        self.task.request_stop("TaskFailedToStart", "Task failed to start")
        self.over.set()
        if self.targets.registered:
            self._set_status("DEACTIVATING")
            running = any(container.exit_code is None for container in self.containers.values())
            self.targets.deregister(self.address, drain=running, stop=self.ecs.ending)
        if self.containers:
            self._set_status("STOPPING")
            with self.ecs.lock:
                self.task.content["executionStoppedAt"] = now()
            self._stop_containers()
        for log in self.logs:
            log.close()
        self._set_status("DEPROVISIONING")
        if self.address:
            self.ecs.containers.release(self.address)
        with self.ecs.lock:
            self.ecs.processes.pop(self.task.arn, None)
            self.task.content["attachments"][0]["status"] = "DELETED"
            for container in self.task.content["containers"]:
                container["lastStatus"] = "STOPPED"
            self.task.content["stoppedAt"] = now()
        self._set_status("STOPPED")
        self.ecs.wake_scheduler(self.task)

    def _stop_containers(self) -> None:
        stops = []
        for definition in self.task.definition["containerDefinitions"]:
            container = self.containers.get(definition["name"])
            if container is not None:
                timeout = definition.get("stopTimeout", DEFAULT_STOP_TIMEOUT)
                seconds = 0 if self.ecs.ending.is_set() else timeout
                stop = threading.Thread(target=container.stop, args=(seconds,), daemon=True)
                stop.start()
                stops.append(stop)
        for stop in stops:
            stop.join()

    def _set_status(self, status: str) -> None:
        with self.ecs.lock:
            self.task.content["lastStatus"] = status
        if not self.ecs.ending.is_set():
            self.ecs.emit_task(self.task)
        self.ecs.wake_scheduler(self.task)


def _discard(_line: str) -> None:
    """Drop a line of a container without log configuration, as Fargate does."""
