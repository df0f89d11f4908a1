"""Injects one fault under load and records what clients, the pipeline and the topic's subscribers saw."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.developer import Developer
from harness.notifications import NotificationQueue, subscribed
from harness.prober import Figures, Prober
from harness.release import FINAL, Release
from harness.release_logs import error_message
from harness.scenario import RELEASE_MINUTES, RELEASE_WORK_MINUTES, Scenario
from integration_tests.faults.record import Fault
from integration_tests.faults.steady_state import FaultEnvironment
from integration_tests.support.waits import service_of
from operations.waiting import NotYetError, wait_for

Found = TypeVar("Found")

# Requests per second: enough to notice a short outage of a task, and few enough for builds to progress.
RATE = 50.0
# Seconds between two reads: each calls several services, and the builds need the machine too.
INTERVAL = 0.4


@dataclass
class FaultRun:
    """A fault in `environment`, which served the version `old` before.

    `prober` sends requests meanwhile, and `notifications` has what the topic published.
    """

    environment: FaultEnvironment
    prober: Prober
    notifications: NotificationQueue
    old: str
    release: Release | None = None
    message: str = ""
    remark: str = ""
    rollback: str = ""

    @property
    def scenario(self) -> Scenario:
        """The scenario of the environment."""
        return self.environment.scenario

    @property
    def developer(self) -> Developer:
        """The developer, whose clone has no mistake at the start."""
        return self.environment.developer

    @property
    def figures(self) -> Figures:
        """The figures of the requests so far."""
        return self.prober.figures()

    def wait_for_lifecycle_event(self, commit: str, event: str) -> str:
        """Wait until `event` has begun in the deployment of `commit`; return the deployment.

        Raises `AssertionError` if the release ends before.
        """

        def look() -> str:
            release = self._running_release(commit, event)
            if release.deployment is None:
                raise NotYetError(f"no deployment yet: {release}")
            if dict(release.events).get(event) not in ("InProgress", "Succeeded"):
                raise NotYetError(str(release))
            return release.deployment

        return self._wait_for(f"{event} of {commit}", look)

    def wait_for_execution(self, commit: str) -> None:
        """Wait until the pipeline has an execution of `commit`."""

        def look() -> None:
            if self.scenario.releases.of(commit) is None:
                raise NotYetError("the pipeline has no execution of it")

        self._wait_for(f"an execution of {commit}", look)

    def wait_for_build_phase(self, commit: str, phase: str) -> str:
        """Wait until the build of `commit` is in `phase`; return the build.

        Raises `AssertionError` if the release ends before.
        """
        codebuild = self.scenario.cloud.client("codebuild")

        def look() -> str:
            release = self._running_release(commit, phase)
            if release.build is None:
                raise NotYetError(f"no build yet: {release}")
            (build,) = codebuild.batch_get_builds(ids=[release.build])["builds"]
            if build["currentPhase"] != phase:
                raise NotYetError(f"{release.build} is in {build['currentPhase']}")
            return release.build

        return self._wait_for(f"{phase} of the build of {commit}", look)

    def wait_for_failing_tasks(self, deployment: str, count: int = 1) -> list[str]:
        """Wait until `count` tasks of a deployment's new version are stopping; return their ARNs."""
        ecs, outputs = self.scenario.cloud.client("ecs"), self.scenario.outputs
        definition = self._new_definition(deployment)

        def look() -> list[str]:
            # ListTasks filters by the desired status: some of these tasks still run.
            arns = ecs.list_tasks(cluster=outputs.cluster_name, desiredStatus="STOPPED")["taskArns"]
            found = ecs.describe_tasks(cluster=outputs.cluster_name, tasks=arns)["tasks"] if arns else []
            failing = [one["taskArn"] for one in found if one["taskDefinitionArn"] == definition]
            if len(failing) < count:
                raise NotYetError(f"{len(failing)} tasks of {definition} are stopping")
            return failing

        return self._wait_for(f"{count} stopping tasks", look)

    def wait_for_stopped_task(self, task: str) -> dict[str, Any]:
        """Wait until a stopping task has stopped; return its description."""
        ecs, cluster = self.scenario.cloud.client("ecs"), self.scenario.outputs.cluster_name

        def look() -> dict[str, Any]:
            (found,) = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
            if found["lastStatus"] != "STOPPED":
                raise NotYetError(f"{task} is {found['lastStatus']}")
            self.remark = stop_reason(found)
            return dict(found)

        return self._wait_for(f"the end of {task}", look)

    @contextmanager
    def disabled_transition(self, stage: str) -> Iterator[None]:
        """Keep commits from entering a stage while the context is open."""
        codepipeline = self.scenario.cloud.client("codepipeline")
        inbound = {
            "pipelineName": self.scenario.outputs.pipeline_name,
            "stageName": stage,
            "transitionType": "Inbound",
        }
        codepipeline.disable_stage_transition(**inbound, reason="two commits wait here")
        try:
            yield
        finally:
            codepipeline.enable_stage_transition(**inbound)

    def stop(self, deployment: str) -> None:
        """Stop a deployment, as an operator would."""
        self.scenario.cloud.client("codedeploy").stop_deployment(deploymentId=deployment)

    def follow(self, commit: str) -> Release:
        """Wait for the end of the release of `commit` and of its rollback, if any; keep the error message."""
        self.release = self.scenario.follow(commit)
        self.message = error_message(self.scenario.cloud, self.release)
        if self.release.deployment and self.release.status != "Succeeded":
            self.rollback = self.scenario.releases.rollback(self.release.deployment)
        return self.release

    def wait_for_notifications(self, *more: str) -> None:
        """Wait for the three notifications of the failed release, and for those that contain `more`."""
        release = self.release
        assert release is not None, "the release is followed first"
        self.notifications.wait_for_failure(release, *more)

    def _new_definition(self, deployment: str) -> str:
        """Wait for a deployment's task set; return its task definition."""

        def look() -> str:
            for one in service_of(self.scenario)["taskSets"]:
                if one.get("externalId") == deployment:
                    return str(one["taskDefinition"])
            raise NotYetError(f"{deployment} has no task set yet")

        return self._wait_for(f"the task set of {deployment}", look)

    def _running_release(self, commit: str, until: str) -> Release:
        release = self.scenario.releases.of(commit)
        if release is None:
            raise NotYetError("the pipeline has no execution of it")
        assert release.status not in FINAL, f"it ended before {until}: {release}"
        return release

    def _wait_for(self, what: str, look: Callable[[], Found]) -> Found:
        deadline = self.scenario.cloud.minutes(RELEASE_MINUTES, own=RELEASE_WORK_MINUTES)
        return wait_for(what, look, deadline=deadline, interval=self.scenario.cloud.interval(INTERVAL))


@contextmanager
def inject_fault(environment: FaultEnvironment, name: str) -> Iterator[FaultRun]:
    """Run a fault under load, from one steady state to the next, and add it to the environment's faults."""
    scenario = environment.scenario
    scenario.progress.step(f"fault: {name}")
    old = environment.restore_steady_state()
    # With a queue of its own, a run gets no notification of an earlier fault.
    with (
        subscribed(scenario.cloud, scenario.outputs.topic_arn) as notifications,
        scenario.probing(RATE) as prober,
    ):
        run = FaultRun(environment, prober, notifications, old)
        yield run
        served = environment.wait_for_steady_state()
        notifications.receive()
        figures, seconds = prober.figures(), prober.seconds
    environment.faults.append(
        Fault(
            fault=name,
            seconds=round(seconds, 1),
            requests=figures.requests,
            failed=figures.failures,
            statuses=figures.statuses,
            versions=figures.versions,
            pipeline=stage_summary(run.release),
            reason=". ".join(filter(None, (failure_reason(run), run.remark))),
            notifications=list(notifications.messages),
            outcome=", ".join(filter(None, final_state(served, run.rollback))),
        )
    )


def stop_reason(task: dict[str, Any]) -> str:
    """Return why ECS stopped a task, and how its container ended."""
    (container,) = task["containers"]
    parts = (
        f"Task: {task['stoppedReason']}",
        container.get("reason"),
        f"exit code {container.get('exitCode')}",
    )
    return ", ".join(filter(None, parts))


def stage_summary(release: Release | None) -> str:
    """Return the status of each stage of a release."""
    return " ".join(f"{name} {status}" for name, status in release.stages) if release else "no release"


def final_state(served: str, rollback: str) -> tuple[str, ...]:
    """Return what the environment is like after the fault."""
    return (
        f"{served[:7]} is served",
        "one steady task set",
        "no alarm active",
        f"rollback {rollback}" if rollback else "",
    )


def failure_reason(run: FaultRun) -> str:
    """Return the pipeline's reason for a failure, with CodeDeploy's message if there is a deployment."""
    if run.release is None or not run.release.reason:
        return ""
    return f"{run.release.reason}. {run.message}" if run.release.deployment else run.release.reason
