"""Approves and rolls back what one environment promotes to another, as people do."""

import json
import subprocess
import sys
from typing import Any

from harness.cloud import PROJECT
from harness.notifications import LoggedEvent, wait_for_logged_events
from harness.scenario import RELEASE_MINUTES, Scenario
from operations.account import Account
from operations.approve import Approvers, Source, approve
from operations.waiting import NotYetError, wait_for


def wait_for_approval(first: Scenario, staging: Scenario) -> None:
    """Wait until the approval action is pending."""
    codepipeline = first.cloud.client("codepipeline")

    def look() -> None:
        state = codepipeline.get_pipeline_state(name=first.outputs.pipeline_name)
        actions = {one["actionName"]: one for stage in state["stageStates"] for one in stage["actionStates"]}
        latest = actions[f"Approve-{staging.environment.suffix}"].get("latestExecution", {})
        if "token" not in latest:
            seen = {name: one.get("latestExecution", {}).get("status") for name, one in actions.items()}
            raise NotYetError(json.dumps(seen))

    wait_for(
        "the approval", look, deadline=first.cloud.minutes(RELEASE_MINUTES), interval=first.cloud.interval(1)
    )


def approve_promotion(first: Scenario, staging: Scenario, approver: Account, commit: str) -> None:
    """Approve the promotion of a commit, once it is pending, as an approver of the second environment.

    The definition of the pipeline is approved with the first one, and is the same afterwards.
    """
    wait_for_approval(first, staging)
    source = Source(first.environment.suffix, first.cloud.account.id)
    people = Approvers(staging.environment.suffix, source, approver)
    approve(people, commit, print, definition="" if people.approved() else people.definition.digest)


def roll_back_promotion(first: Scenario, staging: Scenario, *options: str) -> str:
    """Run `operations rollback` for the environment that receives promotions; return what it prints."""
    words = ("rollback", first.environment.suffix, "--promotion", staging.environment.suffix, *options)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "operations", *words],
        cwd=PROJECT,
        env=first.cloud.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def deployment_of(runs: list[dict[str, Any]]) -> str:
    """Return the deployment among the actions of an execution."""
    (found,) = (
        run["output"]["executionResult"]["externalExecutionId"]
        for run in runs
        if run["input"]["actionTypeId"]["provider"] == "CodeDeployToECS"
    )
    return str(found)


def assert_logged(scenario: Scenario, event: LoggedEvent) -> None:
    """Wait until the event log of an environment has an event."""
    group = scenario.outputs.event_log_group_name
    wait_for_logged_events(scenario.cloud, group, lambda found: event in found)


def wait_for_state(scenario: Scenario, commit: str, state: str) -> None:
    """Wait until the release of a commit is in a state: a status, or STAGE=STATUS."""

    def look() -> None:
        if state not in str(release := scenario.releases.of(commit)).split():
            raise NotYetError(str(release))

    wait_for(
        f"{state} of {commit}",
        look,
        deadline=scenario.cloud.minutes(RELEASE_MINUTES),
        interval=scenario.cloud.interval(1),
    )
