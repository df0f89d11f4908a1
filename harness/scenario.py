"""The steps of a scenario: deploy, the seeded version answers, a commit reaches all traffic, destroy."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import requests

from harness.assembly import Edit
from harness.cloud import Cloud
from harness.developer import Developer
from harness.environment import Environment
from harness.notifications import NotificationQueue, subscribed
from harness.prober import Figures, Prober
from harness.progress import Progress
from harness.release import STAGES, Release, Releases
from harness.report.recorder import Recorder
from harness.signals import defer_signals
from infrastructure.outputs import Outputs
from operations.waiting import NotYetError, wait_for

# AWS's minutes from a push to the end of its deployment: build, canary, the old tasks' termination wait.
RELEASE_MINUTES = 45.0
# Minutes of its real work: on a machine of two cores that others use as well, a build alone took four.
RELEASE_WORK_MINUTES = 15.0
# A release has all of these; those without a hook pass at once.
LIFECYCLE_EVENTS = (
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
)


class ScenarioError(AssertionError):
    """The road did not do what the scenario says; the message has what was seen."""


@dataclass(frozen=True)
class Traffic:
    """Where an environment's traffic goes: what a deploy without a change must leave alone."""

    listeners: tuple[Any, ...]
    task_sets: tuple[Any, ...]


class Scenario:
    """One environment and what happens to it.

    `context` is what `cdk deploy` is given; `trust` names the certificate by which an HTTPS service is known.
    """

    def __init__(
        self,
        cloud: Cloud,
        suffix: str,
        progress: Progress,
        context: Mapping[str, str] = MappingProxyType({}),
        verify: str | bool = True,
    ) -> None:
        self.cloud = cloud
        self.progress = progress
        self.verify = verify
        self.environment = Environment(cloud, suffix, context)
        self.recorder = Recorder(cloud, suffix)
        self.outputs: Outputs
        self.releases: Releases
        self._notifications: NotificationQueue | None = None
        self._subscription = ExitStack()

    def deploy(self, **settings: str) -> bool:
        """Deploy with these context keys; return whether CloudFormation changed anything."""
        self.progress.step(f"cdk deploy stack-{self.environment.suffix} on {self.cloud.name}")
        self.outputs, changed = self.environment.deploy(**settings)
        self.releases = Releases(self.cloud, self.outputs)
        if self._notifications is None:
            self._notifications = self._subscription.enter_context(
                subscribed(self.cloud, self.outputs.topic_arn)
            )
        self.progress.url = self.cloud.resolve(self.outputs.service_url)
        self.progress.step(f"deployed{'' if changed else ', nothing to change'}: {self.progress.url}")
        return changed

    def deploy_edited(self, edits: Mapping[str, Edit]) -> bool:
        """Deploy edited templates; return whether CloudFormation changed anything."""
        self.progress.step(f"cdk deploy stack-{self.environment.suffix} with {', '.join(edits)} edited")
        _, changed = self.environment.deploy_edited(edits)
        return changed

    def wait_for_seed(self) -> Release:
        """Wait until the seeded commit has travelled and answers in place of the placeholder."""
        commit = self.releases.head()
        self.progress.step(f"the seeded commit is {commit[:7]}, {self.served_version()} answers")
        release = self.wait_for_release(commit)
        self.progress.old = commit
        return release

    def push(self, developer: Developer, commit: str) -> Release:
        """Push `commit` and wait until its deployment is over and it alone answers."""
        self.progress.new = commit
        developer.push()
        self.progress.step(f"git push of {commit[:7]}")
        return self.wait_for_release(commit)

    def wait_for_release(self, commit: str) -> Release:
        """Wait for the release of `commit`. Raises `ScenarioError` unless it succeeds and is what answers."""
        release = self.follow(commit)
        if release.status != "Succeeded" or release.stage_statuses != dict.fromkeys(STAGES, "Succeeded"):
            why = self.releases.error_message(release)
            raise ScenarioError(f"the release of {commit} did not succeed: {release}\n{why}")
        check_lifecycle(release)
        served = self.served_version()
        if served != commit:
            raise ScenarioError(f"the release of {commit} succeeded, but {served} answers")
        self.progress.step(f"{commit[:7]} answers, deployment {release.deployment} is over")
        return release

    def follow(self, commit: str) -> Release:
        """Wait until the release of `commit` is over, however it ends."""
        deadline = self.cloud.minutes(RELEASE_MINUTES, own=RELEASE_WORK_MINUTES)
        release = self.releases.follow(commit, deadline=deadline, see=self.progress.see)
        self.recorder.release(release, self.releases)
        self._record_notifications()
        return release

    def developer(self) -> Developer:
        """Clone the repository."""
        return Developer(self.cloud, self.environment.folder, self.outputs.clone_url_http)

    @contextmanager
    def probing(self, rate: float = 120) -> Iterator[Prober]:
        """Probe the service all the while, `rate` times a second."""
        log = self.recorder.probe_log()
        url = self.cloud.resolve(self.outputs.service_url)
        prober = Prober(url, log, rate=rate, verify=self.verify)
        try:
            with prober:
                self.progress.prober = prober
                self.progress.step(f"probing {prober.url}")
                yield prober
        finally:
            self.progress.prober = None
            self.recorder.traffic(prober)

    def served_version(self) -> str:
        """Ask once, which version answers."""
        answer = requests.get(self.cloud.resolve(self.outputs.service_url), timeout=10, verify=self.verify)
        return answer.headers.get("X-Version", f"nobody (status {answer.status_code})")

    def wait_until_served(self, version: str) -> None:
        """Wait until `version` answers: a listener that was changed by hand takes a moment."""

        def look() -> None:
            if (served := self.served_version()) != version:
                raise NotYetError(f"{served} answers")

        wait_for(f"answers of {version}", look, deadline=60)

    def wait_until_no_alarm(self) -> None:
        """Wait: an alarm that is on would stop the next deployment (pitfall N4)."""
        cloudwatch, names = self.cloud.client("cloudwatch"), self.releases.alarm_names()

        def look() -> None:
            alarms = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
            if on := [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]:
                raise NotYetError(f"{on} are on")

        wait_for("no alarm is on", look, deadline=self.cloud.minutes(10, own=1))

    def wait_until_probed(self, prober: Prober, version: str) -> None:
        """Wait until `version` has answered a probe."""

        def look() -> None:
            if not prober.last_of(version):
                raise NotYetError(f"{prober.figures().versions}")

        wait_for(f"an answer of {version}", look, deadline=60, interval=0.1)

    def settle(self, prober: Prober, commit: str, seconds: float = 2.0) -> Figures:
        """Wait until, for `seconds`, nothing but `commit` has answered; return the figures of all probes."""
        since = prober.seconds

        def look() -> None:
            figures = prober.figures(since)
            if prober.seconds - since < seconds:
                raise NotYetError(f"{figures.versions}")

        wait_for("a quiet moment after the shift", look, deadline=60, interval=0.2)
        after = prober.figures(since)
        if set(after.versions) != {commit} or after.failures:
            raise ScenarioError(f"after the shift {after.versions} answered, {after.failures} failed")
        return prober.figures()

    def traffic(self) -> Traffic:
        """Look where the traffic goes: listeners with their weights, task sets with their images."""
        elbv2, ecs = self.cloud.client("elbv2"), self.cloud.client("ecs")
        name = f"load-balancer-{self.environment.suffix}"
        arn = elbv2.describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"]
        listeners = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        service = ecs.describe_services(
            cluster=self.outputs.cluster_name, services=[self.outputs.service_name]
        )["services"][0]
        return Traffic(
            tuple((one["Port"], str(one["DefaultActions"])) for one in listeners),
            tuple((one["id"], one["status"], one["taskDefinition"]) for one in service["taskSets"]),
        )

    def _record_notifications(self) -> None:
        if self._notifications is not None:
            self._notifications.receive()
            self.recorder.notified(self._notifications.timestamps, self._notifications.messages)

    def _unsubscribe(self) -> None:
        """Take the notifications away before the topic goes."""
        self._record_notifications()
        self._notifications = None
        self._subscription.close()

    def clean_up(self) -> None:
        """Destroy what is left of the environment, if anything is; Ctrl-C has to wait."""
        with defer_signals(f"destroying {self.environment.suffix}, please wait"):
            self._unsubscribe()
            if self.environment.leftovers().remaining:
                self.environment.destroy(self.progress.step)

    def destroy(self) -> None:
        """Destroy the environment. Raises `ScenarioError` when something is left of it."""
        self.progress.step(f"destroying {self.environment.suffix}")
        self._unsubscribe()
        self.environment.destroy(self.progress.step)
        left = self.environment.leftovers()
        if left.remaining:
            named = ", ".join(f"{thing.kind} {thing.name}" for thing in left.remaining)
            raise ScenarioError(f"destroyed, but there is left: {named}")
        self.progress.step(f"destroyed: 0 leftovers, {left.kinds_checked} kinds of resources asked")


def check_lifecycle(release: Release) -> None:
    """Raise `ScenarioError` unless the deployment has every lifecycle event, and each succeeded."""
    events = dict(release.events)
    missing = [name for name in LIFECYCLE_EVENTS if name not in events]
    unfinished = [f"{name} {status}" for name, status in events.items() if status != "Succeeded"]
    if missing or unfinished:
        raise ScenarioError(f"deployment {release.deployment}: missing {missing}, not succeeded {unfinished}")
