"""CodeDeploy's AfterAllowTestTraffic hook: ask the new version through the test listener, then report.

A file of its own, with nothing beside it but what Lambda's Python brings along: the folder is the function.
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import boto3
from botocore.config import Config

# Fresh connections, half of them for each path, so that the load balancer spreads them over every task.
ASKED_IN_A_ROW = 10
# The first answers may still be the old version's: a listener takes a moment to change. And a version that
# fails must not set off the alarm on five errors a minute, which would hide what the gate found.
TRIES = 4
SECONDS_BETWEEN_TRIES = 10.0
SECONDS_FOR_AN_ANSWER = 5.0
SECONDS_FOR_A_TRY = ASKED_IN_A_ROW * SECONDS_FOR_AN_ANSWER
# What is left of the function's own time for the report (pitfall N6): all attempts of one call to AWS.
SECONDS_TO_REPORT = 50.0
_CALLS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})
# https://github.com/opencontainers/image-spec/blob/main/annotations.md
COMMIT_LABEL = "org.opencontainers.image.revision"
_COMMIT = re.compile(r"[0-9a-f]{40}")


class LambdaContext(Protocol):
    """What Lambda tells a running function about itself."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""


class GateError(Exception):
    """The new version cannot be let through; the message says why."""


@dataclass
class Answers:
    """What was asked and what answered, for the one line in the log."""

    url: str
    expected: str
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, path: str, answer: str) -> None:
        """Count an answer."""
        self.seen[f"GET {path}: {answer}"] += 1


def handler(event: Mapping[str, str], context: LambdaContext) -> dict[str, str]:
    """Ask, and always report: a deployment that hears nothing hangs for an hour (pitfall N6).

    Raises what the report itself raises: then Lambda invokes the function again.
    """
    deployment, execution = event["DeploymentId"], event["LifecycleEventHookExecutionId"]
    status = "Failed"
    line: dict[str, object] = {"deployment": deployment}
    try:
        answers = Answers(os.environ["TEST_URL"], expected_version(deployment))
        try:
            smoke(answers, lambda: context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_REPORT)
            status = "Succeeded"
        finally:
            line |= {"url": answers.url, "expected": answers.expected, "answers": dict(answers.seen)}
    # Whatever it is, a gate that cannot judge stays shut, and says so at once.
    except Exception as error:
        line["reason"] = f"{type(error).__name__}: {error}"
    print(json.dumps(line | {"status": status}))
    boto3.client("codedeploy", config=_CALLS).put_lifecycle_event_hook_execution_status(
        deploymentId=deployment, lifecycleEventHookExecutionId=execution, status=status
    )
    return {"status": status}


def expected_version(deployment: str) -> str:
    """Return the commit that a deployment releases, as Build wrote it into the task definition.

    Not what the image says of itself: a pipeline that released another commit's image would go unnoticed.
    CodeDeploy names the task set that it makes after the deployment.
    """
    ecs = boto3.client("ecs", config=_CALLS)
    cluster, service = os.environ["CLUSTER"], os.environ["SERVICE"]
    (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    ours = [one for one in found["taskSets"] if one.get("externalId") == deployment]
    if len(ours) != 1:
        raise GateError(f"the service {service} has {len(ours)} task sets of this deployment")
    name = str(ours[0]["taskDefinition"])
    return _commit_of(name, ecs.describe_task_definition(taskDefinition=name)["taskDefinition"])


def smoke(answers: Answers, seconds_left: Callable[[], float]) -> None:
    """Return once the expected version answered every request of a try. Raises GateError if none did."""
    for number in range(1, TRIES + 1):
        problem = _ask_in_a_row(answers)
        if problem is None:
            return
        if number == TRIES or seconds_left() < SECONDS_BETWEEN_TRIES + SECONDS_FOR_A_TRY:
            raise GateError(f"{problem}, at try {number} of {TRIES}")
        time.sleep(SECONDS_BETWEEN_TRIES)


def _ask_in_a_row(answers: Answers) -> str | None:
    """Ask until something else than the expected version answers; return what, or None."""
    paths = [os.environ["HEALTH_PATH"], "/"]
    for number in range(ASKED_IN_A_ROW):
        path = paths[number % len(paths)]
        answer = _ask(answers.url + path)
        answers.add(path, answer)
        if answer != f"200 {answers.expected}":
            return f"{answers.url}{path} answered {answer}, not 200 {answers.expected}"
    return None


def _ask(url: str) -> str:
    """Ask once over a connection of its own; return the status with the version, or what went wrong."""
    if not url.startswith(("http://", "https://")):
        raise GateError(f"TEST_URL is {url}, which is no web address")
    try:
        with urllib.request.urlopen(url, timeout=SECONDS_FOR_AN_ANSWER) as response:  # noqa: S310 - see above
            return f"{response.status} {response.headers.get('X-Version')}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.headers.get('X-Version')}"
    except OSError as error:
        return f"nothing ({error})"


def _commit_of(name: str, task: Mapping[str, Any]) -> str:
    container = os.environ["CONTAINER_NAME"]
    labels = [one.get("dockerLabels", {}) for one in task["containerDefinitions"] if one["name"] == container]
    commit = str(labels[0].get(COMMIT_LABEL)) if labels else "not there"
    if not _COMMIT.fullmatch(commit):
        raise GateError(f"{COMMIT_LABEL} of container {container} in {name} is {commit}, not a commit")
    return commit
