"""Tasks of the released image that end in each way that ECS knows."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from harness.scenario import Scenario
from integration_tests.engines import facts
from integration_tests.support.waits import service_of
from operations.waiting import NotYetError, wait_for

FACTS = "facts"
READY = "ready"
SLEEP = f"import time; print('{READY}', flush=True); time.sleep(600)"
ON_SIGTERM = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(5)); "
EAT = "eaten = []\nwhile True: eaten.append(b'x' * 2**25)"
# What Fargate waits between SIGTERM and SIGKILL; the default of 30 s would only take longer.
STOP_TIMEOUT = 4
MINUTES = 5.0
FAMILY = "engines"


@dataclass(frozen=True)
class Play:
    """A task: its command, whether it is stopped once it runs, and what is changed of the definition."""

    command: tuple[str, ...]
    is_stopped: bool = False
    health: str = ""
    image: str = ""


PLAYS = {
    FACTS: Play(("python", "-c", Path(facts.__file__).read_text(), "an argument")),
    "exit code": Play(("python", "-c", "raise SystemExit(3)")),
    "exception": Play(("python", "-c", "raise RuntimeError('on purpose')")),
    "out of memory": Play(("python", "-c", EAT)),
    "unknown program": Play(("no-such-program",)),
    "unknown image": Play(("python",), image="{repository}:no-such-tag"),
    "stopped": Play(("python", "-c", ON_SIGTERM + SLEEP), is_stopped=True),
    "stopped without a handler": Play(("python", "-c", SLEEP), is_stopped=True),
    "healthy": Play(("python", "-c", ON_SIGTERM + SLEEP), is_stopped=True, health="exit 0"),
    "unhealthy": Play(("python", "-c", ON_SIGTERM + SLEEP), health="exit 1"),
}


class Tasks:
    """Runs tasks beside the service of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.ecs = scenario.cloud.client("ecs")
        self.logs = scenario.cloud.client("logs")
        self.scenario = scenario
        self.cluster = scenario.outputs.cluster_name

    def play(self) -> dict[str, dict[str, Any]]:
        """Run all tasks at once until they have stopped; return their descriptions."""
        started = {name: self._start(play) for name, play in PLAYS.items()}
        for name, play in PLAYS.items():
            if play.is_stopped:
                running = self._wait(started[name], "RUNNING", healthy=bool(play.health))
                self._wait_until_ready(running)
                self.ecs.stop_task(cluster=self.cluster, task=started[name], reason="enough")
        return {name: self._wait(arn, "STOPPED") for name, arn in started.items()}

    def lines(self, task: dict[str, Any]) -> list[str]:
        """Return what a task has written into its log."""
        name, key = task["containers"][0]["name"], task["taskArn"].rpartition("/")[2]
        with contextlib.suppress(self.logs.exceptions.ResourceNotFoundException):
            found = self.logs.get_log_events(
                logGroupName=self.scenario.outputs.task_log_group_name,
                logStreamName=f"{name}/{name}/{key}",
                startFromHead=True,
            )
            return [one["message"] for one in found["events"]]
        return ["no log stream"]

    def of_service(self, status: str) -> list[dict[str, Any]]:
        """Return the service's tasks with the desired status `status`."""
        found = self.ecs.list_tasks(
            cluster=self.cluster, serviceName=self.scenario.outputs.service_name, desiredStatus=status
        )
        arns = found["taskArns"]
        return list(self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"]) if arns else []

    def definition(self) -> dict[str, Any]:
        """Return the task definition that is served."""
        (primary,) = service_of(self.scenario)["taskSets"]
        found = self.ecs.describe_task_definition(taskDefinition=primary["taskDefinition"])
        return dict(found["taskDefinition"])

    def _start(self, play: Play) -> str:
        (primary,) = service_of(self.scenario)["taskSets"]
        definition = self._register(play)
        name = definition["containerDefinitions"][0]["name"]
        started = self.ecs.run_task(
            cluster=self.cluster,
            taskDefinition=definition["taskDefinitionArn"],
            launchType="FARGATE",
            networkConfiguration=primary["networkConfiguration"],
            overrides={"containerOverrides": [{"name": name, "command": list(play.command)}]},
        )
        (task,) = started["tasks"]
        return str(task["taskArn"])

    def _register(self, play: Play) -> dict[str, Any]:
        """Register a copy of the definition that is served, as a task of `play` needs it."""
        given = self.definition()
        kept = ("taskRoleArn", "executionRoleArn", "networkMode", "requiresCompatibilities", "cpu", "memory")
        container = {**given["containerDefinitions"][0], "stopTimeout": STOP_TIMEOUT}
        container.pop("healthCheck", None)
        if play.health:
            check = {"command": ["CMD-SHELL", play.health], "interval": 5, "retries": 2}
            container["healthCheck"] = check
        if play.image:
            container["image"] = play.image.format(repository=self.scenario.outputs.image_repository_uri)
        made = self.ecs.register_task_definition(
            family=FAMILY, containerDefinitions=[container], **{name: given[name] for name in kept}
        )
        return dict(made["taskDefinition"])

    def _wait_until_ready(self, task: dict[str, Any]) -> None:
        """Wait until a program handles its signals: before, process 1 ignores SIGTERM."""

        def look() -> None:
            if READY not in (lines := self.lines(task)):
                raise NotYetError(str(lines))

        wait_for(f"the first line of {task['taskArn']}", look, deadline=60 * MINUTES, interval=0.2)

    def _wait(self, arn: str, status: str, *, healthy: bool = False) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            try:
                (task,) = self.ecs.describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"]
            except ClientError as error:
                raise NotYetError(str(error)) from error
            if task["lastStatus"] != status or (healthy and task["healthStatus"] != "HEALTHY"):
                raise NotYetError(f"{task['lastStatus']}, {task['healthStatus']}")
            return dict(task)

        return wait_for(f"{status} of {arn}", look, deadline=60 * MINUTES, interval=0.5)
