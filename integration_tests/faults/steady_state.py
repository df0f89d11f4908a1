"""The state in which every fault run begins: an idle pipeline, no alarm, and code without a mistake."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests
from botocore.exceptions import ClientError

from harness.developer import Developer
from harness.scenario import RELEASE_MINUTES, RELEASE_WORK_MINUTES, Scenario
from integration_tests.faults import commits
from integration_tests.faults.record import Fault
from integration_tests.faults.timing_overrides import Canaries
from integration_tests.support.waits import check_steady
from operations.account import code_of
from operations.quiesce import ENDED_MEANWHILE, builds, deployments, executions
from operations.waiting import NotYetError, wait_for


@dataclass
class FaultEnvironment:
    """The environment into which faults are injected, with its developer; each run adds to `faults`."""

    scenario: Scenario
    developer: Developer
    canaries: Canaries
    faults: list[Fault] = field(default_factory=list)

    def restore_steady_state(self) -> str:
        """Bring the environment into the steady state; return the version that it serves.

        Only after a failed test is there work to stop, or a good commit to release.
        """
        self._stop_unfinished_work()
        self._wait_until_idle()
        commits.without_mistake(self.developer)
        released = self._released_version()
        if self._response() != (200, released):
            self.scenario.progress.step(f"{released[:7]} was released last and is not served")
            self.scenario.push(self.developer, self.developer.commit("Work again"))
        return self.wait_for_steady_state()

    def wait_for_steady_state(self) -> str:
        """Wait until the pipeline is idle, no alarm is active, and the last release is served; return it."""
        self._wait_until_idle()
        version = self._released_version()

        def look() -> str:
            if (response := self._response()) != (200, version):
                raise NotYetError(f"the service returns {response}, {version} was released last")
            return version

        return wait_for(f"a response from {version}", look, deadline=self.scenario.cloud.minutes(5, own=1))

    def _stop_unfinished_work(self) -> None:
        suffix, account = self.scenario.environment.suffix, self.scenario.cloud.account
        codepipeline, codedeploy = account.client("codepipeline"), account.client("codedeploy")
        for execution in list(executions(suffix, account)):
            self.scenario.progress.step(f"stopping {execution}, left over from a failed test")
            with _ignore_already_ended():
                codepipeline.stop_pipeline_execution(
                    pipelineName=self.scenario.outputs.pipeline_name,
                    pipelineExecutionId=execution,
                    abandon=True,
                )
        for deployment in list(deployments(suffix, account)):
            info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
            # A rollback ends in the steady state by itself.
            if info["creator"] != "codeDeployRollback":
                with _ignore_already_ended():
                    codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)

    def _wait_until_idle(self) -> None:
        suffix, account = self.scenario.environment.suffix, self.scenario.cloud.account
        alarms = self.scenario.releases.alarm_names()

        def look() -> None:
            for find in (executions, builds, deployments):
                if running := list(find(suffix, account)):
                    raise NotYetError(f"still running: {', '.join(running)}")
            check_steady(self.scenario)
            found = account.client("cloudwatch").describe_alarms(AlarmNames=alarms)["MetricAlarms"]
            if active := [one["AlarmName"] for one in found if one["StateValue"] != "OK"]:
                raise NotYetError(f"these alarms are not OK: {active}")

        deadline = self.scenario.cloud.minutes(RELEASE_MINUTES, own=RELEASE_WORK_MINUTES)
        wait_for("an idle pipeline", look, deadline=deadline, interval=self.scenario.cloud.interval(0.5))

    def _released_version(self) -> str:
        """Return the commit of the last successful release."""
        newest = next(one for one in self.scenario.releases.executions() if one["status"] == "Succeeded")
        return str(newest["sourceRevisions"][0]["revisionId"])

    def _response(self) -> tuple[int, str]:
        url = self.scenario.cloud.resolve(self.scenario.outputs.service_url)
        response = requests.get(url, timeout=10, verify=self.scenario.verify)
        return response.status_code, response.headers.get("X-Version", "no version")


@contextmanager
def _ignore_already_ended() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if code_of(error) not in ENDED_MEANWHILE:
            raise
