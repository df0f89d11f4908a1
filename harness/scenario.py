"""The steps of a scenario: deploy, release the seeded commit, release further commits, destroy."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType

import requests
from botocore.exceptions import BotoCoreError, ClientError

from harness.assembly import Edit
from harness.cloud import Cloud
from harness.developer import Developer
from harness.environment import Environment
from harness.notifications import NotificationQueue, subscribed
from harness.prober import MOST_UNSENT, Figures, Prober, connections_for, seconds_of_a_request, through
from harness.progress import Progress
from harness.release import STAGES, Release, Releases, lifecycle_problem
from harness.release_logs import error_message
from harness.report.recorder import Recorder
from harness.signals import defer_signals
from harness.traffic_routing import TrafficRouting, traffic_routing
from infrastructure.outputs import Outputs
from operations.errors import OperationsError
from operations.waiting import NotYetError, TimedOutError, wait_for

# AWS's minutes from a push to the end of its deployment: build, canary, termination wait.
RELEASE_MINUTES = 45.0
# Minutes of its real work: on a busy machine with two cores, the build alone took four.
RELEASE_WORK_MINUTES = 15.0


class ScenarioError(AssertionError):
    """The environment did not behave as the scenario expects; the message has the state."""


class Scenario:
    """One environment with its developer, probers, notifications and report.

    `context` has further context keys; `verify` names the certificate of an HTTPS service.
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
        # What a person must type after a clean-up that did not finish; empty if it did.
        self.remedy = ""
        self.outputs: Outputs
        self.releases: Releases
        self._notifications: NotificationQueue | None = None
        self._subscription = ExitStack()

    def deploy(self, **settings: str) -> bool:
        """Deploy with these context keys; return whether CloudFormation changed anything."""
        self.progress.step(f"cdk deploy stack-{self.environment.suffix}, see {self.environment.log}")
        with self.progress.waiting(lambda: "running cdk deploy"):
            self.outputs, changed = self.environment.deploy(**settings)
        self.releases = Releases(self.cloud, self.outputs)
        if self._notifications is None:
            self._notifications = self._subscription.enter_context(
                subscribed(self.cloud, self.outputs.topic_arn)
            )
        self.progress.url = self.cloud.resolve(self.outputs.service_url)
        self.progress.step(f"deployed{'' if changed else ', nothing to change'}: {self.progress.url}")
        return changed

    def deploy_edited(self, edits: Mapping[str, Edit], **settings: str) -> bool:
        """Deploy edited templates; return whether CloudFormation changed anything."""
        self.progress.step(f"cdk deploy stack-{self.environment.suffix} with {', '.join(edits)} edited")
        _, changed = self.environment.deploy_edited(edits, **settings)
        return changed

    def wait_for_seed(self) -> Release:
        """Wait until the seeded commit is released in place of the bootstrap server."""
        commit = self.releases.head()
        self.progress.step(f"the seeded commit is {commit[:7]}, {self.served_version()} is served")
        release = self.wait_for_release(commit)
        self.progress.old = commit
        return release

    def push(self, developer: Developer, commit: str) -> Release:
        """Push `commit` and wait until it is released."""
        self.progress.new = commit
        developer.push()
        self.progress.step(f"git push of {commit[:7]}")
        return self.wait_for_release(commit)

    def wait_for_release(self, commit: str) -> Release:
        """Wait for the release of `commit`. Raises `ScenarioError` unless it succeeds and is served."""
        release = self.follow(commit)
        if release.status != "Succeeded" or release.stage_statuses != dict.fromkeys(STAGES, "Succeeded"):
            message = error_message(self.cloud, release)
            raise ScenarioError(f"the release of {commit} did not succeed: {release}\n{message}")
        if problem := lifecycle_problem(release):
            raise ScenarioError(problem)
        if not self.releases.is_served(commit, self._response()):
            raise ScenarioError(f"the release of {commit} succeeded, but {self.served_version()} is served")
        self.progress.step(f"{commit[:7]} is served, deployment {release.deployment} has ended")
        return release

    def follow(self, commit: str) -> Release:
        """Wait for the end of the release of `commit`, successful or not."""
        seconds = self.cloud.minutes(RELEASE_MINUTES, own=RELEASE_WORK_MINUTES)
        with self.progress.waiting(self.progress.running):
            release = self.releases.follow(commit, deadline=seconds, update=self.progress.update)
        self.recorder.release(release, self.releases)
        self._record_notifications()
        return release

    def developer(self) -> Developer:
        """Clone the repository."""
        return Developer(self.cloud, self.environment.folder, self.outputs.clone_url_http)

    @contextmanager
    def probing(self, rate: float = 120, *, unversioned: str = "") -> Iterator[Prober]:
        """Probe the service `rate` times a second while the context is open; `unversioned` is Prober's."""
        url = self.cloud.resolve(self.outputs.service_url)
        connections, fresh = connections_for(rate, seconds_of_a_request(url, verify=self.verify))
        prober = Prober(
            url,
            self.recorder.probe_log(),
            rate=rate,
            connections=connections,
            fresh=fresh,
            verify=self.verify,
            unversioned=unversioned,
        )
        try:
            with prober:
                self.progress.prober = prober
                self.progress.step(f"sending {rate:g} requests a second to {prober.url}{through(prober.url)}")
                yield prober
        finally:
            self.progress.prober = None
            self.recorder.traffic(prober)
            if problem := prober.network_problem():
                self.progress.step(problem)

    def served_version(self) -> str:
        """Send one request; return the version that responds, or in words that none does."""
        try:
            answer = self._request()
        except requests.RequestException as error:
            # The name of a new load balancer may not resolve yet.
            return f"no response ({type(error).__name__})"
        return answer.headers.get("X-Version", f"no version (status {answer.status_code})")

    def _request(self) -> requests.Response:
        return requests.get(self.cloud.resolve(self.outputs.service_url), timeout=10, verify=self.verify)

    def _response(self) -> requests.Response:
        """Return the response to a request, which is repeated while it gets none."""

        def look() -> requests.Response:
            try:
                return self._request()
            except requests.RequestException as error:
                raise NotYetError(repr(error)) from error

        return wait_for("a response", look, deadline=self.cloud.minutes(5, own=0.5))

    def wait_until_served(self, version: str) -> None:
        """Wait until `version` is served: a changed listener takes a moment to apply."""

        def look() -> None:
            if (served := self.served_version()) != version:
                raise NotYetError(f"{served} is served")

        wait_for(f"responses from {version}", look, deadline=self.cloud.minutes(5, own=1))

    def wait_until_no_alarm(self) -> None:
        """Wait until no alarm is active: it would stop the next deployment (pitfall N4)."""
        cloudwatch, names = self.cloud.client("cloudwatch"), self.releases.alarm_names()

        def look() -> None:
            alarms = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
            if active := [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]:
                raise NotYetError(f"in ALARM: {active}")

        wait_for("the end of all alarms", look, deadline=self.cloud.minutes(10, own=1))

    def wait_until_probed(self, prober: Prober, version: str) -> None:
        """Wait until `version` has responded to a probe."""

        def look() -> None:
            if not prober.last_of(version):
                raise NotYetError(f"{prober.figures().versions}")

        wait_for(f"answers of {version}", look, deadline=self.cloud.minutes(RELEASE_MINUTES), interval=0.1)

    def settle(self, prober: Prober, commit: str, seconds: float = 2.0) -> Figures:
        """Wait until only `commit` has responded for `seconds`; return the figures of all probes."""
        since = prober.seconds

        def look() -> None:
            if prober.seconds - since < seconds:
                raise NotYetError(f"{prober.figures(since).versions}")

        wait_for("responses after the shift", look, deadline=self.cloud.minutes(1, own=1), interval=0.2)
        after = prober.figures(since)
        if len(prober.unsent) > MOST_UNSENT * len(prober.answers):
            raise ScenarioError(f"too many to tell: {prober.network_problem()}")
        if set(after.versions) != {commit} or after.failures:
            raise ScenarioError(f"responses after the shift: {after.versions}, {after.failures} failed")
        return prober.figures()

    def traffic(self) -> TrafficRouting:
        """Return where the traffic goes."""
        return traffic_routing(self.cloud, self.outputs)

    def _record_notifications(self) -> None:
        if self._notifications is not None:
            self._notifications.receive()
            self.recorder.notified(self._notifications.timestamps, self._notifications.messages)

    def unsubscribe(self) -> None:
        """Delete the queue before the topic is deleted; no failure here keeps an environment running."""
        try:
            self._record_notifications()
            self._subscription.close()
            self.recorder.read_four_keys()  # The event log goes with the environment.
        except (BotoCoreError, ClientError) as error:
            self.progress.step(f"the queue of the notifications may remain: {error}")
        self._notifications = None

    def clean_up(self) -> None:
        """Destroy what remains of the environment; Ctrl-C does not interrupt it.

        If that fails, `remedy` is the command that a person types then, and the last line says it.
        """
        environment = self.environment
        length = "20 to 45 minutes" if self.cloud.endpoint is None else "a minute"
        still = f"{environment.suffix} may still exist and cost money"
        self.remedy = f"{still}; to destroy it: {environment.destroy_command}"
        with defer_signals(f"destroying {environment.suffix} takes {length}", self.progress.report):
            try:
                self.remedy = self._destroy_rest()
            except BaseException:
                self.progress.step(self.remedy)
                raise

    def _destroy_rest(self) -> str:
        """Destroy what remains; return what to type if an API does not say whether that is all."""
        self.unsubscribe()
        if not self._may_remain():
            self.progress.step(f"nothing of {self.environment.suffix} exists")
            return ""
        self.environment.destroy(self.progress.step)
        try:
            self._no_leftovers()
        except OperationsError as error:
            again = self.environment.command("leftovers")
            line = f"destroyed, but {error}; to look again: {again}"
            self.progress.step(line)
            return line
        return ""

    def _may_remain(self) -> bool:
        """Return whether there is something to destroy, also if one API does not say."""
        try:
            return bool(self.environment.leftovers().remaining)
        except OperationsError as error:
            self.progress.step(f"{error}: destroying {self.environment.suffix} in any case")
            return True

    def destroy(self) -> None:
        """Destroy the environment. Raises `ScenarioError` if a resource remains."""
        self.progress.step(f"destroying {self.environment.suffix}")
        self.unsubscribe()
        with self.progress.waiting(lambda: "destroying"):
            self.environment.destroy(self.progress.step)
            self._no_leftovers()

    def _no_leftovers(self) -> None:
        try:
            left = self.environment.wait_for_no_leftovers()
        except TimedOutError as error:
            raise ScenarioError(f"resources remain after destroy: {error.state}") from error
        self.progress.step(f"destroyed: 0 leftovers, {left.kinds_checked} kinds of resources asked")
