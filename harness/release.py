"""Follows one commit through the pipeline: its execution, stages, deployment and lifecycle events."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import requests
from botocore.exceptions import ClientError

from harness.cloud import Cloud, HarnessError
from infrastructure.outputs import Outputs
from operations.account import code_of
from operations.waiting import NotYetError, wait_for

FINAL = frozenset({"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"})
# The lifecycle event of the test-traffic hook.
HOOK = "AfterAllowTestTraffic"
STAGES = ("Source", "Build", "Deploy")
# The lifecycle events of every release; an event without a hook ends at once.
LIFECYCLE_EVENTS = (
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    HOOK,
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
)


@dataclass(frozen=True)
class Release:
    """The state of one commit's release in CodePipeline and CodeDeploy."""

    commit: str
    execution: str
    status: str
    stages: tuple[tuple[str, str], ...] = ()
    build: str | None = None
    deployment: str | None = None
    events: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    # When a stage or a lifecycle event, by its name, got its status: seconds since the epoch, by AWS's clock.
    moments: tuple[tuple[str, float], ...] = ()

    @property
    def stage_statuses(self) -> dict[str, str]:
        """The status of each stage."""
        return dict(self.stages)

    def __str__(self) -> str:
        stages = " ".join(f"{name}={status}" for name, status in self.stages)
        events = " ".join(f"{name}={status}" for name, status in self.events)
        parts = ("execution", self.execution, self.status, stages, self.deployment, events, self.reason)
        return " ".join(part for part in parts if part)


# The label that the Build stage writes on every image and task definition.
REVISION = "org.opencontainers.image.revision"
# A new role's permissions take seconds to reach every service.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
MOST_RETRIES = 20


class Releases:
    """The releases of one deployed environment."""

    def __init__(self, cloud: Cloud, outputs: Outputs) -> None:
        self.cloud = cloud
        self.outputs = outputs

    @property
    def hook_log(self) -> str:
        """The log group of the test-traffic hook."""
        return self.outputs.traffic_hook_log_group_name

    def is_served(self, commit: str, response: requests.Response) -> bool:
        """Return whether `commit` has responded; ECS says who did if the service sends no X-Version."""
        if "X-Version" in response.headers:
            return response.headers["X-Version"] == commit
        return response.status_code < 500 and self.primary_commit() == commit

    def primary_commit(self) -> str:
        """Return the commit of the PRIMARY task set's image, or nothing if Build did not make it."""
        ecs, outputs = self.cloud.client("ecs"), self.outputs
        found = ecs.describe_services(cluster=outputs.cluster_name, services=[outputs.service_name])
        (arn,) = (
            one["taskDefinition"] for one in found["services"][0]["taskSets"] if one["status"] == "PRIMARY"
        )
        definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return str(definition["containerDefinitions"][0].get("dockerLabels", {}).get(REVISION, ""))

    def head(self, branch: str = "main") -> str:
        """Return the commit at the head of `branch`."""
        client = self.cloud.client("codecommit")
        answer = client.get_branch(repositoryName=self.outputs.repository_name, branchName=branch)
        return str(answer["branch"]["commitId"])

    def executions(self) -> list[dict[str, Any]]:
        """Return the summaries of the pipeline's executions, newest first."""
        name = self.outputs.pipeline_name
        pages = self.cloud.account.pages
        return list(
            pages("codepipeline", "list_pipeline_executions", "pipelineExecutionSummaries", pipelineName=name)
        )

    def of(self, commit: str) -> Release | None:
        """Return the newest release of `commit`, or None if there is none yet."""
        summary = newest_of(commit, self.executions())
        if summary is None:
            return None
        release = read(commit, summary, self.actions(summary["pipelineExecutionId"]))
        events = self.lifecycle(release.deployment) if release.deployment else []
        named = tuple((event["lifecycleEventName"], event["status"]) for event in events)
        times = (
            (event["lifecycleEventName"], event.get("endTime", event.get("startTime"))) for event in events
        )
        moments = tuple((name, at.timestamp()) for name, at in times if at is not None)
        return replace(release, events=named, moments=release.moments + moments)

    def actions(self, execution: str) -> list[dict[str, Any]]:
        """Return the details of an execution's actions, newest first."""
        return list(
            self.cloud.account.pages(
                "codepipeline",
                "list_action_executions",
                "actionExecutionDetails",
                pipelineName=self.outputs.pipeline_name,
                filter={"pipelineExecutionId": execution},
            )
        )

    def lifecycle(self, deployment: str) -> list[dict[str, Any]]:
        """Return the lifecycle events of a deployment; none before it has started."""
        client = self.cloud.client("codedeploy")
        try:
            targets = client.list_deployment_targets(deploymentId=deployment)["targetIds"]
        except ClientError as error:
            if code_of(error) != "DeploymentNotStartedException":
                raise
            return []
        if not targets:
            return []
        answer = client.batch_get_deployment_targets(deploymentId=deployment, targetIds=targets)
        return list(answer["deploymentTargets"][0]["ecsTarget"]["lifecycleEvents"])

    def alarm_names(self) -> list[str]:
        """Return the alarms of the deployment group."""
        group = self.cloud.client("codedeploy").get_deployment_group(
            applicationName=self.outputs.application_name,
            deploymentGroupName=self.outputs.deployment_group_name,
        )["deploymentGroupInfo"]
        return [alarm["name"] for alarm in group.get("alarmConfiguration", {}).get("alarms", [])]

    def follow(self, commit: str, *, deadline: float, update: Callable[[Release], None]) -> Release:
        """Return the release of `commit` once it has ended; `update` is called with every state before.

        Raises `HarnessError` if the Source stage still fails after some retries.
        """
        retried: list[str] = []

        def look() -> Release:
            release = self.of(commit)
            if release is None:
                self._retry_source(retried)
                raise NotYetError("the pipeline has no execution of it")
            update(release)
            if release.status not in FINAL:
                raise NotYetError(str(release))
            return release

        interval = self.cloud.poll_seconds
        return wait_for(f"release of commit {commit}", look, deadline=deadline, interval=interval)

    def _retry_source(self, retried: list[str]) -> None:
        """Retry the Source stage if it has failed in the newest execution, which then has no commit."""
        newest = next(iter(self.executions()), None)
        if newest is None or newest["status"] != "Failed" or newest.get("sourceRevisions"):
            return
        execution = newest["pipelineExecutionId"]
        if retried.count(execution) == MOST_RETRIES:
            reason = read("", newest, self.actions(execution)).reason
            raise HarnessError(f"Source failed {MOST_RETRIES + 1} times in execution {execution}: {reason}")
        retried.append(execution)
        try:
            self.cloud.client("codepipeline").retry_stage_execution(
                pipelineName=self.outputs.pipeline_name,
                stageName=STAGES[0],
                pipelineExecutionId=execution,
                retryMode="FAILED_ACTIONS",
            )
        except ClientError as error:
            # The execution was listed as it was before the last retry.
            if code_of(error) != "StageNotRetryableException":
                raise

    def rollback(self, deployment: str) -> str:
        """Wait for the end of a deployment's rollback; return its status."""
        client = self.cloud.client("codedeploy")

        def look() -> str:
            failed = client.get_deployment(deploymentId=deployment)["deploymentInfo"]
            back = failed.get("rollbackInfo", {}).get("rollbackDeploymentId")
            if back is None:
                raise NotYetError(f"{deployment} is {failed['status']} and has no rollback")
            status = str(client.get_deployment(deploymentId=back)["deploymentInfo"]["status"])
            if status not in FINAL:
                raise NotYetError(f"the rollback {back} is {status}")
            return status

        return wait_for(f"rollback of {deployment}", look, deadline=self.cloud.minutes(15))


def newest_of(commit: str, executions: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the first of `executions` (newest first) whose source revision is `commit`."""
    for summary in executions:
        if commit in (revision.get("revisionId") for revision in summary.get("sourceRevisions", [])):
            return summary
    return None


def read(commit: str, summary: dict[str, Any], actions: Iterable[dict[str, Any]]) -> Release:
    """Return the release of an execution's summary and its actions (newest first)."""
    stages: dict[str, str] = {}
    build, deployment, reason = None, None, ""
    oldest_first = list(actions)[::-1]
    for action in oldest_first:
        stages[action["stageName"]] = action["status"]
        result = action.get("output", {}).get("executionResult", {})
        if action["stageName"] == "Build":
            build = result.get("externalExecutionId") or build
        if action["stageName"] == "Deploy":
            deployment = result.get("externalExecutionId") or deployment
        if action["status"] == "Failed":
            error = result.get("errorDetails", {}).get("message", "")
            reason = error or result.get("externalExecutionSummary", "")
    ordered = tuple((name, stages[name]) for name in STAGES if name in stages)
    return Release(
        commit,
        summary["pipelineExecutionId"],
        summary["status"],
        ordered,
        build,
        deployment,
        reason=reason,
        moments=_moments(oldest_first),
    )


def _moments(actions: Iterable[dict[str, Any]]) -> tuple[tuple[str, float], ...]:
    """Return when each stage got its status, from its actions, the oldest first."""
    moments: dict[str, float] = {}
    for action in actions:
        changed = action.get("startTime" if action["status"] == "InProgress" else "lastUpdateTime")
        if changed is not None:
            moments[action["stageName"]] = changed.timestamp()
    return tuple(moments.items())


def lifecycle_problem(release: Release) -> str:
    """Return which lifecycle events of a deployment are missing or have not succeeded; empty if none is."""
    events = dict(release.events)
    missing = [name for name in LIFECYCLE_EVENTS if name not in events]
    unfinished = [f"{name} {status}" for name, status in events.items() if status != "Succeeded"]
    if not missing and not unfinished:
        return ""
    return f"deployment {release.deployment}: missing {missing}, not succeeded {unfinished}"
