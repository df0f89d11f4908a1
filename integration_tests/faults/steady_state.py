"""What every fault run begins with: a pipeline at rest, and code that works."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from botocore.exceptions import ClientError

from harness.developer import Developer
from harness.scenario import RELEASE_MINUTES, RELEASE_WORK_MINUTES, Scenario
from integration_tests.faults import commits
from integration_tests.faults.record import Fault
from integration_tests.faults.timing_overrides import Canaries
from operations.account import code_of
from operations.quiesce import ENDED_MEANWHILE, builds, deployments, executions
from operations.waiting import NotYetError, wait_for


@dataclass
class FaultEnvironment:
    """One environment with its developer, in which each fault is injected; each adds to `faults`."""

    scenario: Scenario
    developer: Developer
    canaries: Canaries
    faults: list[Fault] = field(default_factory=list)

    def restore_steady_state(self) -> str:
        """Bring about the settled state; return the version that answers.

        Only a failed scenario leaves anything to do: to stop what it began, and to release a good commit.
        """
        self._stop_what_runs()
        self._wait_until_idle()
        commits.without_mistake(self.developer)
        released = self._released()
        if self._answer() != (200, released):
            self.scenario.progress.step(f"{released[:7]} was released last and does not answer")
            self.scenario.push(self.developer, self.developer.commit("Be well again"))
        return self.wait_for_steady_state()

    def wait_for_steady_state(self) -> str:
        """Wait until nothing goes on, no alarm is on, and the newest release answers; return its version."""
        self._wait_until_idle()
        version = self._released()

        def look() -> str:
            if (answer := self._answer()) != (200, version):
                raise NotYetError(f"{answer} answers, {version} was released last")
            return version

        return wait_for(f"an answer of {version}", look, deadline=60)

    def service(self) -> dict[str, Any]:
        """Return what ECS says of the service."""
        outputs = self.scenario.outputs
        found = self.scenario.cloud.client("ecs").describe_services(
            cluster=outputs.cluster_name, services=[outputs.service_name]
        )
        return dict(found["services"][0])

    def _stop_what_runs(self) -> None:
        suffix, account = self.scenario.environment.suffix, self.scenario.cloud.account
        codepipeline, codedeploy = account.client("codepipeline"), account.client("codedeploy")
        for execution in list(executions(suffix, account)):
            self.scenario.progress.step(f"stopping {execution}, which another scenario left")
            with _ignore_already_ended():
                codepipeline.stop_pipeline_execution(
                    pipelineName=self.scenario.outputs.pipeline_name,
                    pipelineExecutionId=execution,
                    abandon=True,
                )
        for deployment in list(deployments(suffix, account)):
            info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
            # A rollback leads back to where a scenario can begin.
            if info["creator"] != "codeDeployRollback":
                with _ignore_already_ended():
                    codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)

    def _wait_until_idle(self) -> None:
        suffix, account = self.scenario.environment.suffix, self.scenario.cloud.account
        alarms = self.scenario.releases.alarm_names()

        def look() -> None:
            for find in (executions, builds, deployments):
                if left := list(find(suffix, account)):
                    raise NotYetError(f"{', '.join(left)} goes on")
            sets = [(one["status"], one["stabilityStatus"]) for one in self.service()["taskSets"]]
            if sets != [("PRIMARY", "STEADY_STATE")]:
                raise NotYetError(f"the task sets are {sets}")
            found = account.client("cloudwatch").describe_alarms(AlarmNames=alarms)["MetricAlarms"]
            if on := [one["AlarmName"] for one in found if one["StateValue"] != "OK"]:
                raise NotYetError(f"not OK are {on}")

        deadline = self.scenario.cloud.minutes(RELEASE_MINUTES, own=RELEASE_WORK_MINUTES)
        wait_for("a road at rest", look, deadline=deadline, interval=0.5)

    def _released(self) -> str:
        """Return the commit that was released last."""
        newest = next(one for one in self.scenario.releases.executions() if one["status"] == "Succeeded")
        return str(newest["sourceRevisions"][0]["revisionId"])

    def _answer(self) -> tuple[int, str]:
        url = self.scenario.cloud.resolve(self.scenario.outputs.service_url)
        answer = requests.get(url, timeout=10, verify=self.scenario.verify)
        return answer.status_code, answer.headers.get("X-Version", "nobody")


@contextmanager
def _ignore_already_ended() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if code_of(error) not in ENDED_MEANWHILE:
            raise
