"""What the page shows of a pipeline, made from the responses of CodePipeline and CodeDeploy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.release import Releases

# Longer subjects are cut; the whole message is then shown on demand.
SUBJECT_LENGTH = 100

Part = dict[str, Any]


@dataclass(frozen=True)
class Action:
    """An action of a stage: `at` is its last change (seconds since the epoch), `reason` AWS's message."""

    name: str
    status: str
    at: float | None
    reason: str


@dataclass(frozen=True)
class Stage:
    """A stage, its current or last commit, and the commits that wait to enter it."""

    name: str
    status: str
    commit: str
    waiting: tuple[str, ...]
    closed: str
    actions: tuple[Action, ...]


def external_id(state: Mapping[str, Any], stage: str) -> str:
    """Return the id of what a stage's actions started last: a build or a deployment."""
    runs = [
        action["latestExecution"]
        for found in state["stageStates"]
        if found["stageName"] == stage
        for action in found["actionStates"]
        if action.get("latestExecution", {}).get("externalExecutionId")
    ]
    newest: Mapping[str, Any] = max(runs, key=lambda run: run["lastStatusChange"], default={})
    return str(newest.get("externalExecutionId", ""))


def stages_of(state: Mapping[str, Any], executions: Iterable[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """Return the stages of a GetPipelineState response, with commits from ListPipelineExecutions."""
    commits = {execution["pipelineExecutionId"]: commit_of(execution) for execution in executions}
    return tuple(_stage(found, commits) for found in state["stageStates"])


def _stage(found: Mapping[str, Any], commits: Mapping[str, str]) -> Stage:
    latest, transition = found.get("latestExecution", {}), found.get("inboundTransitionState", {})
    waiting = found.get("inboundExecutions", [])
    return Stage(
        name=found["stageName"],
        status=latest.get("status", ""),
        commit=commits.get(latest.get("pipelineExecutionId", ""), ""),
        waiting=tuple(commits.get(one["pipelineExecutionId"], "") for one in waiting),
        closed="" if transition.get("enabled", True) else transition.get("disabledReason", "no reason given"),
        actions=tuple(_action(action) for action in found["actionStates"]),
    )


def _action(found: Mapping[str, Any]) -> Action:
    latest = found.get("latestExecution", {})
    changed = latest.get("lastStatusChange")
    # The Source action's summary is the whole commit message.
    summary, _ = split_message(latest.get("summary", ""))
    reason = latest.get("errorDetails", {}).get("message") or summary
    return Action(found["actionName"], latest.get("status", ""), changed and changed.timestamp(), reason)


def commit_of(execution: Mapping[str, Any]) -> str:
    """Return the commit of an execution, or "" before its Source stage has one."""
    return next((str(one.get("revisionId", "")) for one in execution.get("sourceRevisions", [])), "")


def release_of(execution: Mapping[str, Any]) -> Part:
    """Return a row of the table of releases."""
    revisions = execution.get("sourceRevisions", [])
    subject, body = split_message(revisions[0].get("revisionSummary", "") if revisions else "")
    return {
        "execution": execution["pipelineExecutionId"],
        "commit": commit_of(execution),
        "subject": subject,
        "body": body,
        "status": execution["status"],
        "began": execution["startTime"].timestamp(),
        "changed": execution["lastUpdateTime"].timestamp(),
    }


def split_message(message: str) -> tuple[str, str]:
    """Split a commit message into its subject and the rest; a subject that is cut is repeated in the rest."""
    subject, _, body = message.strip().partition("\n")
    if len(subject) > SUBJECT_LENGTH:
        return f"{subject[:SUBJECT_LENGTH].rstrip()}…", message.strip()
    return subject.rstrip(), body.strip()


def deployments_of(deployment: str, releases: Releases) -> Iterable[Part]:
    """Yield a deployment with its lifecycle events, and the deployment that rolled it back, if any."""
    client = releases.cloud.client("codedeploy")
    while deployment:
        info = client.get_deployment(deploymentId=deployment)["deploymentInfo"]
        back = info.get("rollbackInfo", {})
        yield {
            "id": deployment,
            # CodeDeploy makes a rollback as a deployment of its own.
            "rollback_of": back.get("rollbackTriggeringDeploymentId", ""),
            "status": info["status"],
            "config": info.get("deploymentConfigName", ""),
            "reason": info.get("errorInformation", {}).get("message", ""),
            "events": [
                {"name": event["lifecycleEventName"], "status": event["status"]}
                for event in releases.lifecycle(deployment)
            ],
        }
        deployment = back.get("rollbackDeploymentId", "")
