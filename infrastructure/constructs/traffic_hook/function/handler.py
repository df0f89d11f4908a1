"""CodeDeploy's AfterAllowTestTraffic hook: check the new version's image, test it through the test listener,
then report.

This folder is the function's code, so its modules import only each other and what the Lambda runtime has.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Any, Protocol

import boto3
from botocore.config import Config

from . import break_glass
from .approval import Approvals
from .image_scan import Gate
from .image_signature import Signatures

# The input of the schedule that keeps the function from becoming Inactive (pitfall N7).
KEEP_ACTIVE = {"keepActive": True}
# Over new connections, in turn for each path, so that the load balancer distributes them to every task.
REQUESTS_PER_ATTEMPT = 10
# The first responses may still be from the old version, because a listener takes a moment to change. An
# attempt ends at its first error, so that the hook does not trigger the alarm on five errors per minute.
ATTEMPTS = 4
SECONDS_BETWEEN_ATTEMPTS = 10.0
REQUEST_TIMEOUT_SECONDS = 5.0
ATTEMPT_SECONDS = REQUESTS_PER_ATTEMPT * REQUEST_TIMEOUT_SECONDS
# Reserved for break-glass and for the report (pitfall N6): two calls to AWS with all their retries.
REPORT_SECONDS = 60.0
_CALLS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})
# https://github.com/opencontainers/image-spec/blob/main/annotations.md
COMMIT_LABEL = "org.opencontainers.image.revision"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class LambdaContext(Protocol):
    """The part of Lambda's context object that the hook uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until Lambda stops the function."""


class HookError(Exception):
    """The new version must not receive traffic; the message says why."""


@dataclass(frozen=True)
class Release:
    """What a deployment releases: its task set, and the image and the commit that Build wrote for it."""

    task_set: str
    task_definition: str
    digest: str
    commit: str


@dataclass(frozen=True)
class SmokePath:
    """A path to request, and the status that it must respond with."""

    path: str
    status: int


@dataclass(frozen=True)
class Response:
    """A response: its status, or the error in its place, and the version in its header, if it has one."""

    status: int | str
    version: str | None = None

    def __str__(self) -> str:
        return f"{self.status} of version {self.version}" if self.version else str(self.status)


@dataclass
class Responses:
    """What was requested and what responded, for the line in the log."""

    url: str
    commit: str
    seen: Counter[str] = field(default_factory=Counter)
    # Whether the service sends the header X-Version at all.
    versioned: bool = False

    def problem(self, expected: SmokePath, response: Response) -> str | None:
        """Count a response; return what is wrong with it, or None."""
        self.seen[f"GET {expected.path}: {response}"] += 1
        self.versioned |= response.version is not None
        if response.status == expected.status and response.version in (None, self.commit):
            return None
        wanted = f"{expected.status} of version {self.commit}" if response.version else str(expected.status)
        return f"GET {self.url}{expected.path}: expected {wanted}, got {response}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Return a redirect as the response, since a smoke path may expect one."""

    def redirect_request(self, *_: object) -> None:
        return None


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:
    """Test the new version and always report, or the deployment hangs for an hour (pitfall N6).

    An invocation by the schedule does nothing else than to keep the function Active (pitfall N7). Raises what
    the report raises, so that Lambda invokes the function again.
    """
    if event == KEEP_ACTIVE:
        return {"status": "Active"}
    deployment, execution = event["DeploymentId"], event["LifecycleEventHookExecutionId"]
    status = "Failed"
    line: dict[str, Any] = {"deployment": deployment}

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000 - REPORT_SECONDS

    try:
        release = find_release(deployment)
        responses = Responses(os.environ["TEST_URL"], release.commit)
        line |= {"commit": release.commit, "digest": release.digest, "url": responses.url}
        try:
            # Which image runs, and who decides on it, are not among the checks that break-glass opens.
            check_images(release)
            line["signedBy"] = key = check_signature(release)
            line |= check_approval(release, key)
            checks: dict[str, Callable[[], object]] = {
                "imageScan": lambda: check_scan(release, seconds_left),
                "responses": lambda: check_responses(responses, seconds_left),
            }
            break_glass.run(checks, line, os.environ["BREAK_GLASS"])
            status = "Succeeded"
        finally:
            line["responses"] = dict(responses.seen)
    # Whatever the error is: a version that could not be tested fails the deployment at once.
    except Exception as error:
        line["reason"] = f"{type(error).__name__}: {error}"
    print(json.dumps(line | {"status": status}))
    boto3.client("codedeploy", config=_CALLS).put_lifecycle_event_hook_execution_status(
        deploymentId=deployment, lifecycleEventHookExecutionId=execution, status=status
    )
    return {"status": status}


def find_release(deployment: str) -> Release:
    """Return what a deployment releases; CodeDeploy creates a task set with the id of the deployment."""
    ecs = boto3.client("ecs", config=_CALLS)
    cluster, service = os.environ["CLUSTER"], os.environ["SERVICE"]
    (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    ours = [one for one in found["taskSets"] if one.get("externalId") == deployment]
    if len(ours) != 1:
        raise HookError(f"the service {service} has {len(ours)} task sets of this deployment")
    name = str(ours[0]["taskDefinition"])
    container = _container_of(name, ecs.describe_task_definition(taskDefinition=name)["taskDefinition"])
    digest = str(container["image"]).partition("@")[2]
    if not _DIGEST.fullmatch(digest):
        raise HookError(f"the image of {name} is {container['image']}, without a digest")
    commit = str(container.get("dockerLabels", {}).get(COMMIT_LABEL))
    if not _COMMIT.fullmatch(commit):
        raise HookError(f"{COMMIT_LABEL} in {name} is {commit}, not a commit")
    return Release(ours[0]["id"], name, digest, commit)


def check_images(release: Release) -> None:
    """Raise HookError unless every running task of the release runs the image of its task definition.

    ECS starts the tasks of a task set with its id as `startedBy`, which must be the only filter:
    https://github.com/pipe-cd/pipecd (`GetTaskSetTasks`) and
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
    """
    ecs = boto3.client("ecs", config=_CALLS)
    cluster = os.environ["CLUSTER"]
    running = 0
    for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, startedBy=release.task_set):
        tasks = page["taskArns"] and ecs.describe_tasks(cluster=cluster, tasks=page["taskArns"])["tasks"]
        for task in tasks:
            if task["lastStatus"] == "RUNNING":
                running += 1
                _check_image(release, task)
    if not running:
        raise HookError(f"no task of the task set {release.task_set} is running")


def _check_image(release: Release, task: Mapping[str, Any]) -> None:
    name = os.environ["CONTAINER_NAME"]
    digests = [one.get("imageDigest") for one in task["containers"] if one["name"] == name]
    if digests != [release.digest]:
        raise HookError(
            f"{task['taskArn']} runs the image {', '.join(map(str, digests))}, "
            f"but {release.task_definition} names {release.digest}"
        )


def check_signature(release: Release) -> str:
    """Return the key that signed the image of the release, one of those that this environment trusts."""
    trusted = Signatures(os.environ["IMAGE_REPOSITORY"], tuple(os.environ["SIGNING_KEYS"].split(",")))
    ecr, kms = (boto3.client(name, config=_CALLS) for name in ("ecr", "kms"))
    return trusted.check(ecr, kms, release.digest)


def check_approval(release: Release, key: str) -> dict[str, str]:
    """Return who approved the image of a release that a source built, if this environment names approvers."""
    own = os.environ["SIGNING_KEYS"].partition(",")[0]
    if key == own or "APPROVED_IMAGE" not in os.environ:
        return {}
    approvals = Approvals(os.environ["APPROVED_IMAGE"], os.environ["APPROVER"])
    ssm = boto3.client("ssm", config=_CALLS)
    return {"approvedBy": approvals.check(ssm, release.digest, datetime.now(UTC))}


def check_scan(release: Release, seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Return what ECR found in the image of the release, in the repository of this environment."""
    gate = Gate(
        os.environ["IMAGE_REPOSITORY"],
        os.environ["IMAGE_SCAN_THRESHOLD"],
        json.loads(os.environ["IMAGE_SCAN_EXCEPTIONS"]),
    )
    ecr = boto3.client("ecr", config=_CALLS)
    return gate.check(ecr, release.digest, datetime.now(UTC).date(), seconds_left)


def check_responses(responses: Responses, seconds_left: Callable[[], float]) -> None:
    """Return after an attempt in which every response was as expected.

    The first attempt proves nothing for a service without the header X-Version: the old version may have
    responded. Raises HookError if no attempt succeeds.
    """
    for number in range(1, ATTEMPTS + 1):
        problem = _attempt(responses)
        if problem is None and (responses.versioned or number > 1):
            return
        if number == ATTEMPTS or seconds_left() < SECONDS_BETWEEN_ATTEMPTS + ATTEMPT_SECONDS:
            raise HookError(f"{problem or 'no time for a second attempt'}, in attempt {number} of {ATTEMPTS}")
        time.sleep(SECONDS_BETWEEN_ATTEMPTS)


def _attempt(responses: Responses) -> str | None:
    """Send the requests; return the first problem, or None."""
    paths = [SmokePath(**one) for one in json.loads(os.environ["SMOKE_PATHS"])]
    for expected in islice(cycle(paths), REQUESTS_PER_ATTEMPT):
        problem = responses.problem(expected, _get(responses.url + expected.path))
        if problem is not None:
            return problem
    return None


def _get(url: str) -> Response:
    """Send one request over a new connection; do not follow a redirect."""
    if not url.startswith(("http://", "https://")):
        raise HookError(f"TEST_URL is {url}, which is no HTTP URL")
    try:
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(url, timeout=REQUEST_TIMEOUT_SECONDS) as response:
            return Response(response.status, response.headers.get("X-Version"))
    except urllib.error.HTTPError as error:
        with error:
            return Response(error.code, error.headers.get("X-Version"))
    except (OSError, http.client.HTTPException) as error:
        return Response(f"no response ({error})")


def _container_of(name: str, task: Mapping[str, Any]) -> Mapping[str, Any]:
    container = os.environ["CONTAINER_NAME"]
    for one in task["containerDefinitions"]:
        if one["name"] == container:
            found: Mapping[str, Any] = one
            return found
    raise HookError(f"{name} has no container {container}")
