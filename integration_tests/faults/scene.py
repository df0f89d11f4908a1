"""One fault as it happens: users ask all the while, and what each of them and the pipeline saw is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from integration_tests.faults.record import Fault
from integration_tests.notices import Inbox
from integration_tests.probe import Figures, Prober
from integration_tests.release import FINAL, Release
from integration_tests.story import RELEASE_MINUTES, Story
from operations.waiting import NotYetError, wait_for

# Requests a second: enough to see a task that is gone for a moment, few enough for builds to go on.
RATE = 50.0


@dataclass
class Scene:
    """A fault that happens to `story` while `prober` asks; what is told arrives in `inbox`."""

    story: Story
    prober: Prober
    inbox: Inbox
    release: Release | None = None
    words: str = ""
    task: str = ""
    left: str = ""

    @property
    def figures(self) -> Figures:
        """What users have seen so far."""
        return self.prober.figures()

    def until_begun(self, commit: str, event: str) -> str:
        """Wait until `event` has begun in the deployment of `commit`; return the deployment."""

        def look() -> str:
            release = self.story.releases.of(commit)
            if release is not None and release.status in FINAL:
                raise AssertionError(f"it was over before {event}: {release}")
            if release is None or release.deployment is None:
                raise NotYetError(f"no deployment yet: {release}")
            if dict(release.events).get(event) not in ("InProgress", "Succeeded"):
                raise NotYetError(str(release))
            return release.deployment

        return wait_for(f"{event} of {commit}", look, deadline=self._deadline, interval=0.4)

    def until_known(self, commit: str) -> None:
        """Wait until the pipeline has an execution of `commit`."""

        def look() -> None:
            if self.story.releases.of(commit) is None:
                raise NotYetError("the pipeline has no execution of it")

        wait_for(f"an execution of {commit}", look, deadline=self._deadline, interval=0.4)

    def until_building(self, commit: str, phase: str) -> str:
        """Wait until the build of `commit` is in `phase`; return the build."""
        codebuild = self.story.cloud.client("codebuild")

        def look() -> str:
            release = self.story.releases.of(commit)
            if release is None or release.build is None:
                raise NotYetError(f"no build yet: {release}")
            (build,) = codebuild.batch_get_builds(ids=[release.build])["builds"]
            if build["currentPhase"] != phase:
                raise NotYetError(f"{release.build} is in {build['currentPhase']}")
            return release.build

        return wait_for(f"{phase} of the build of {commit}", look, deadline=self._deadline, interval=0.4)

    def until_stopped(self, deployment: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until `count` tasks of a deployment's new version have stopped; return them."""
        ecs, outputs = self.story.cloud.client("ecs"), self.story.outputs
        definition = self._new_definition(deployment)

        def look() -> list[dict[str, Any]]:
            arns = ecs.list_tasks(cluster=outputs.cluster_name, desiredStatus="STOPPED")["taskArns"]
            found = ecs.describe_tasks(cluster=outputs.cluster_name, tasks=arns)["tasks"] if arns else []
            ours = [one for one in found if one["taskDefinitionArn"] == definition]
            stopped = [one for one in ours if one["lastStatus"] == "STOPPED"]
            if len(stopped) < count:
                raise NotYetError(f"{len(stopped)} tasks of {definition} have stopped")
            self.task = ended(stopped[0])
            return stopped

        return wait_for("tasks that stopped", look, deadline=self._deadline)

    def _new_definition(self, deployment: str) -> str:
        def look() -> str:
            for one in self._service()["taskSets"]:
                if one.get("externalId") == deployment:
                    return str(one["taskDefinition"])
            raise NotYetError(f"{deployment} has no task set yet")

        return wait_for(f"the task set of {deployment}", look, deadline=self._deadline)

    def stop(self, deployment: str) -> None:
        """Stop a deployment, as a person does who has seen enough."""
        self.story.cloud.client("codedeploy").stop_deployment(deploymentId=deployment)

    def follow(self, commit: str) -> Release:
        """Wait until the release of `commit` is over and its rollback, if it has one; keep what was said."""
        self.release = self.story.follow(commit)
        self.words = self.story.releases.words(self.release)
        if self.release.deployment and self.release.status != "Succeeded":
            self.left = f"rollback {self.story.releases.rollback(self.release.deployment)}"
        return self.release

    def steady(self) -> None:
        """Wait until every task of the one task set that is left runs, and no alarm is on."""

        def look() -> None:
            service = self._service()
            sets = [(one["status"], one["stabilityStatus"]) for one in service["taskSets"]]
            if sets != [("PRIMARY", "STEADY_STATE")]:
                raise NotYetError(f"the task sets are {sets}")
            alarms = self.story.cloud.client("cloudwatch").describe_alarms(
                AlarmNames=self.story.releases.alarm_names(), StateValue="ALARM"
            )["MetricAlarms"]
            if alarms:
                raise NotYetError(f"on are {[one['AlarmName'] for one in alarms]}")

        wait_for("a steady service", look, deadline=self._deadline)

    def _service(self) -> dict[str, Any]:
        outputs = self.story.outputs
        ecs = self.story.cloud.client("ecs")
        (service,) = ecs.describe_services(cluster=outputs.cluster_name, services=[outputs.service_name])[
            "services"
        ]
        return dict(service)

    @property
    def _deadline(self) -> float:
        return self.story.cloud.minutes(RELEASE_MINUTES)


@contextmanager
def playing(
    story: Story, inbox: Inbox, faults: list[Fault], name: str, *, settled: bool = True
) -> Iterator[Scene]:
    """Play a fault under load; in the end it stands among `faults`.

    Then the service is steady again, unless it is not to be `settled`, since another release follows at once.
    """
    story.progress.step(f"fault: {name}")
    inbox.messages.clear()
    with story.probing(RATE) as prober:
        scene = Scene(story, prober, inbox)
        yield scene
        if settled:
            scene.steady()
        figures = prober.figures()
        seconds = prober.seconds
    release = scene.release
    stages = " ".join(f"{stage} {status}" for stage, status in release.stages) if release else "no release"
    served = f"{story.served()[:7]} answers"
    faults.append(
        Fault(
            name,
            round(seconds, 1),
            figures.requests,
            figures.failures,
            figures.statuses,
            figures.versions,
            stages,
            ". ".join(filter(None, (why(release, scene.words), scene.task))),
            list(inbox.messages),
            ", ".join(filter(None, (served, "one task set, steady" if settled else "", scene.left))),
        )
    )


def ended(task: dict[str, Any]) -> str:
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
    if release is None or not release.why:
        return ""
    return f"{release.why}. {words}" if release.deployment else release.why
