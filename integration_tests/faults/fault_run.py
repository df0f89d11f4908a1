"""One fault as it happens: users ask all the while, and what each of them and the pipeline saw is kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.developer import Developer
from harness.notifications import NotificationQueue, listening
from harness.prober import Figures, Prober
from harness.release import FINAL, Release
from harness.scenario import RELEASE_MINUTES, RELEASE_WORK_MINUTES, Scenario
from integration_tests.faults.record import Fault, kinds
from integration_tests.faults.steady_state import FaultEnvironment
from operations.waiting import NotYetError, wait_for

Found = TypeVar("Found")

# Requests a second: enough to see a task that is gone for a moment, few enough for builds to go on.
RATE = 50.0
# Seconds between two looks: each asks several services, and the builds need the machine too.
INTERVAL = 0.4


@dataclass
class FaultRun:
    """A fault that happens on `stage` while `prober` asks, who met `old` first; `inbox` has what is told."""

    environment: FaultEnvironment
    prober: Prober
    inbox: NotificationQueue
    old: str
    release: Release | None = None
    words: str = ""
    remark: str = ""
    outcome: str = ""

    @property
    def scenario(self) -> Scenario:
        """The scenario of the environment."""
        return self.environment.scenario

    @property
    def developer(self) -> Developer:
        """The developer, whose clone has no mistake in the beginning."""
        return self.environment.developer

    @property
    def figures(self) -> Figures:
        """What users have seen so far."""
        return self.prober.figures()

    def wait_for_lifecycle_event(self, commit: str, event: str) -> str:
        """Wait until `event` has begun in the deployment of `commit`; return the deployment.

        Raises `AssertionError` when the release is over before.
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

        Raises `AssertionError` when the release is over before.
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
        """Wait until `count` tasks of a deployment's new version end; return them. They may take a while."""
        ecs, outputs = self.scenario.cloud.client("ecs"), self.scenario.outputs
        definition = self._new_definition(deployment)

        def look() -> list[str]:
            # By what is wanted of them, as AWS has it: some still run.
            arns = ecs.list_tasks(cluster=outputs.cluster_name, desiredStatus="STOPPED")["taskArns"]
            found = ecs.describe_tasks(cluster=outputs.cluster_name, tasks=arns)["tasks"] if arns else []
            ours = [one["taskArn"] for one in found if one["taskDefinitionArn"] == definition]
            if len(ours) < count:
                raise NotYetError(f"{len(ours)} tasks of {definition} end")
            return ours

        return self._wait_for(f"{count} tasks that end", look)

    def wait_for_stopped_task(self, task: str) -> dict[str, Any]:
        """Wait until a task that ends has stopped; return what ECS says of it."""
        ecs, cluster = self.scenario.cloud.client("ecs"), self.scenario.outputs.cluster_name

        def look() -> dict[str, Any]:
            (found,) = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
            if found["lastStatus"] != "STOPPED":
                raise NotYetError(f"{task} is {found['lastStatus']}")
            self.remark = stop_reason(found)
            return dict(found)

        return self._wait_for(f"the end of {task}", look)

    @contextmanager
    def disabled_transition(self, name: str) -> Iterator[None]:
        """Let commits wait in front of a stage, as they do while it works."""
        codepipeline = self.scenario.cloud.client("codepipeline")
        inbound = {
            "pipelineName": self.scenario.outputs.pipeline_name,
            "stageName": name,
            "transitionType": "Inbound",
        }
        codepipeline.disable_stage_transition(**inbound, reason="two commits are to meet here")
        try:
            yield
        finally:
            codepipeline.enable_stage_transition(**inbound)

    def stop(self, deployment: str) -> None:
        """Stop a deployment, as a person does who has seen enough."""
        self.scenario.cloud.client("codedeploy").stop_deployment(deploymentId=deployment)

    def follow(self, commit: str) -> Release:
        """Wait until the release of `commit` is over and its rollback, if it has one; keep what was said."""
        self.release = self.scenario.follow(commit)
        self.words = self.scenario.releases.error_message(self.release)
        if self.release.deployment and self.release.status != "Succeeded":
            self.outcome = f"rollback {self.scenario.releases.rollback(self.release.deployment)}"
        return self.release

    def wait_for_notifications(self, *more: str) -> None:
        """Wait until people were told of the failed release, once by each who tells, and of `more`."""
        release = self.release
        assert release is not None, "a release is followed before"
        texts = [f"execution {release.execution}. See", f"execution {release.execution}. Why"]
        texts += [
            f"Deployment {release.deployment} to" if release.deployment else f"{release.build} ended with"
        ]
        self.inbox.wait_for(*texts, *more)
        told = [one for one in kinds(self.inbox.messages) if not one.startswith("alarm")]
        assert sorted(told) == sorted({"pipeline", "stage", "deployment" if release.deployment else "build"})

    def _new_definition(self, deployment: str) -> str:
        def look() -> str:
            for one in self.environment.service()["taskSets"]:
                if one.get("externalId") == deployment:
                    return str(one["taskDefinition"])
            raise NotYetError(f"{deployment} has no task set yet")

        return self._wait_for(f"the task set of {deployment}", look)

    def _running_release(self, commit: str, until: str) -> Release:
        release = self.scenario.releases.of(commit)
        if release is None:
            raise NotYetError("the pipeline has no execution of it")
        assert release.status not in FINAL, f"it was over before {until}: {release}"
        return release

    def _wait_for(self, what: str, look: Callable[[], Found]) -> Found:
        deadline = self.scenario.cloud.minutes(RELEASE_MINUTES, own=RELEASE_WORK_MINUTES)
        return wait_for(what, look, deadline=deadline, interval=INTERVAL)


@contextmanager
def inject_fault(environment: FaultEnvironment, name: str) -> Iterator[FaultRun]:
    """Play a fault under load, from a settled state to a settled state; in the end it stands in the table."""
    environment.scenario.progress.step(f"fault: {name}")
    old = environment.restore_steady_state()
    topic = environment.scenario.outputs.topic_arn
    # An inbox of its own: what the topic told of another fault cannot come into this one's.
    with (
        listening(environment.scenario.cloud, topic) as inbox,
        environment.scenario.probing(RATE) as prober,
    ):
        run = FaultRun(environment, prober, inbox, old)
        yield run
        served = environment.wait_for_steady_state()
        inbox.receive()
        figures, seconds = prober.figures(), prober.seconds
    release = run.release
    stages = " ".join(f"{stage} {status}" for stage, status in release.stages) if release else "no release"
    left = (f"{served[:7]} answers", "one task set, steady", "no alarm on", run.outcome)
    environment.faults.append(
        Fault(
            name,
            round(seconds, 1),
            figures.requests,
            figures.failures,
            figures.statuses,
            figures.versions,
            stages,
            ". ".join(filter(None, (why(release, run.words), run.remark))),
            list(inbox.messages),
            ", ".join(filter(None, left)),
        )
    )


def stop_reason(task: dict[str, Any]) -> str:
    """Return what ECS says of a task that stopped, and of its container."""
    (container,) = task["containers"]
    said = (
        f"Task: {task['stoppedReason']}",
        container.get("reason"),
        f"exit code {container.get('exitCode')}",
    )
    return ", ".join(filter(None, said))


def why(release: Release | None, words: str) -> str:
    """Return what the pipeline said of a release that failed, with CodeDeploy's words if it came that far."""
    if release is None or not release.reason:
        return ""
    return f"{release.reason}. {words}" if release.deployment else release.reason
