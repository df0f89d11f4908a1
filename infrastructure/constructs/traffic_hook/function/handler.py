"""CodeDeploy's AfterAllowTestTraffic hook: test the new version through the test listener, then report.

This folder is the function's code, so the module imports only what the Lambda runtime has.
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

# Over new connections, half of them for each path, so that the load balancer distributes them to every task.
REQUESTS_PER_ATTEMPT = 10
# The first responses may still be from the old version, because a listener takes a moment to change. An
# attempt ends at its first error, so that the hook does not trigger the alarm on five errors per minute.
ATTEMPTS = 4
SECONDS_BETWEEN_ATTEMPTS = 10.0
REQUEST_TIMEOUT_SECONDS = 5.0
ATTEMPT_SECONDS = REQUESTS_PER_ATTEMPT * REQUEST_TIMEOUT_SECONDS
# Reserved for the report (pitfall N6): one call to AWS with all its retries.
REPORT_SECONDS = 50.0
_CALLS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})
# https://github.com/opencontainers/image-spec/blob/main/annotations.md
COMMIT_LABEL = "org.opencontainers.image.revision"
_COMMIT = re.compile(r"[0-9a-f]{40}")


class LambdaContext(Protocol):
    """The part of Lambda's context object that the hook uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until Lambda stops the function."""


class HookError(Exception):
    """The new version must not receive traffic; the message says why."""


@dataclass
class Responses:
    """What was requested and what responded, for the line in the log."""

    url: str
    expected: str
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, path: str, response: str) -> None:
        """Count a response."""
        self.seen[f"GET {path}: {response}"] += 1


def handler(event: Mapping[str, str], context: LambdaContext) -> dict[str, str]:
    """Test the new version and always report, or the deployment hangs for an hour (pitfall N6).

    Raises what the report raises, so that Lambda invokes the function again.
    """
    deployment, execution = event["DeploymentId"], event["LifecycleEventHookExecutionId"]
    status = "Failed"
    line: dict[str, object] = {"deployment": deployment}
    try:
        responses = Responses(os.environ["TEST_URL"], expected_version(deployment))
        try:
            check_version(responses, lambda: context.get_remaining_time_in_millis() / 1000 - REPORT_SECONDS)
            status = "Succeeded"
        finally:
            line |= {"url": responses.url, "expected": responses.expected, "answers": dict(responses.seen)}
    # Whatever the error is: a version that could not be tested fails the deployment at once.
    except Exception as error:
        line["reason"] = f"{type(error).__name__}: {error}"
    print(json.dumps(line | {"status": status}))
    boto3.client("codedeploy", config=_CALLS).put_lifecycle_event_hook_execution_status(
        deploymentId=deployment, lifecycleEventHookExecutionId=execution, status=status
    )
    return {"status": status}


def expected_version(deployment: str) -> str:
    """Return the commit of a deployment, which Build wrote into the task definition.

    The label of the image would not show that a pipeline released the image of another commit. CodeDeploy
    creates a task set with the id of the deployment.
    """
    ecs = boto3.client("ecs", config=_CALLS)
    cluster, service = os.environ["CLUSTER"], os.environ["SERVICE"]
    (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    ours = [one for one in found["taskSets"] if one.get("externalId") == deployment]
    if len(ours) != 1:
        raise HookError(f"the service {service} has {len(ours)} task sets of this deployment")
    name = str(ours[0]["taskDefinition"])
    return _commit_of(name, ecs.describe_task_definition(taskDefinition=name)["taskDefinition"])


def check_version(responses: Responses, seconds_left: Callable[[], float]) -> None:
    """Return after an attempt in which the expected version responded to every request.

    Raises HookError if no attempt succeeds.
    """
    for number in range(1, ATTEMPTS + 1):
        problem = _attempt(responses)
        if problem is None:
            return
        if number == ATTEMPTS or seconds_left() < SECONDS_BETWEEN_ATTEMPTS + ATTEMPT_SECONDS:
            raise HookError(f"{problem}, in attempt {number} of {ATTEMPTS}")
        time.sleep(SECONDS_BETWEEN_ATTEMPTS)


def _attempt(responses: Responses) -> str | None:
    """Send the requests; return the first unexpected response, or None."""
    paths = [os.environ["HEALTH_PATH"], "/"]
    for number in range(REQUESTS_PER_ATTEMPT):
        path = paths[number % len(paths)]
        response = _get(responses.url + path)
        responses.add(path, response)
        if response != f"200 {responses.expected}":
            return f"{responses.url}{path} responded with {response}, not 200 {responses.expected}"
    return None


def _get(url: str) -> str:
    """Send one request over a new connection; return the status and the version, or the error."""
    if not url.startswith(("http://", "https://")):
        raise HookError(f"TEST_URL is {url}, which is no HTTP URL")
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_TIMEOUT_SECONDS) as response:  # noqa: S310 - see above
            return f"{response.status} {response.headers.get('X-Version')}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.headers.get('X-Version')}"
    except OSError as error:
        return f"nothing ({error})"


def _commit_of(name: str, task: Mapping[str, Any]) -> str:
    container = os.environ["CONTAINER_NAME"]
    labels = [one.get("dockerLabels", {}) for one in task["containerDefinitions"] if one["name"] == container]
    commit = str(labels[0].get(COMMIT_LABEL)) if labels else "missing"
    if not _COMMIT.fullmatch(commit):
        raise HookError(f"{COMMIT_LABEL} of container {container} in {name} is {commit}, not a commit")
    return commit
