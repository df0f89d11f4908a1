"""Say why the newest release failed: the gate that stopped it, its reason, and what to do."""

from collections.abc import Mapping
from dataclasses import replace

from operations.account import Account
from operations.names import Names
from operations.stage_entry import Entry, find_entry
from operations.why.build import explain_build
from operations.why.cause import RETRY, Cause, Explanation
from operations.why.deployment import explain_deployment, explain_message, problem_in_progress
from operations.why.executions import (
    ACTIVE,
    Action,
    Summary,
    actions,
    external_id,
    kind,
    message,
    newest,
    title,
    with_status,
)
from operations.why.log_lines import one_line, shortened

LONGEST_SUBJECT = 60
# How a status is told of a release.
NOTES = {
    "Succeeded": "has succeeded",
    "Superseded": "was superseded by a newer one",
    "Cancelled": "was cancelled",
    "Stopped": "was stopped",
    "Stopping": "is being stopped",
}


def explain(suffix: str, account: Account, execution: str = "") -> Explanation:
    """Explain the newest release of an environment, or the one with the execution's id.

    Raises `OperationsError` if there is no such pipeline or execution.
    """
    names = Names(suffix)
    summary = newest(account, names, execution)
    if summary is None:
        return Explanation(suffix, "", "", "", "", note="the pipeline has had no execution")
    return explain_execution(account, names, summary)


def explain_execution(account: Account, names: Names, summary: Summary) -> Explanation:
    """Explain the release of an execution, as ListPipelineExecutions has it."""
    explanation = _described(names, summary)
    if summary["status"] not in (*ACTIVE, "Failed"):
        return explanation
    runs = actions(account, names, explanation.execution)
    if summary["status"] in ACTIVE and (running := with_status(runs, "InProgress")):
        return _explain_running(account, names, explanation, running)
    if failed := with_status(runs, "Failed"):
        cause = _with_commands(_cause(account, names, failed), names, explanation.execution, failed)
        return replace(explanation, action=title(failed), cause=cause, note="failed in")
    entry = find_entry(account, names, explanation.execution)
    return _explain_entry(explanation, entry) if entry else explanation


def _described(names: Names, summary: Summary) -> Explanation:
    revision: Mapping[str, str] = next(iter(summary.get("sourceRevisions", [])), {})
    subject = revision.get("revisionSummary", "").strip().partition("\n")[0]
    status = summary["status"]
    return Explanation(
        names.suffix,
        summary["pipelineExecutionId"],
        str(revision.get("revisionId", "")),
        shortened(subject, LONGEST_SUBJECT),
        status,
        note=note_of(summary),
    )


def note_of(summary: Summary) -> str:
    """Return how the status of an execution is told. One that was stopped or superseded has not failed."""
    status = summary["status"]
    note = NOTES.get(status, "is running" if status in ACTIVE else f"is {status}")
    if status != "Stopped":
        return note
    return f"{note}: {one_line(summary.get('stopTrigger', {}).get('reason', '')) or 'no reason given'}"


def _explain_entry(explanation: Explanation, entry: Entry) -> Explanation:
    """Explain what keeps a release out of a stage."""
    if entry.status != "Failed":
        return replace(explanation, action=entry.stage, note=entry.text)
    remedy = f"{RETRY} in the window, or {RETRY} and open break-glass: docs/operations.md, Deployment window"
    cause = Cause("the deployment window", "it was closed until the rule timed out", remedy)
    return replace(explanation, action=entry.stage, cause=cause, note="was not let into")


def _explain_running(
    account: Account, names: Names, explanation: Explanation, running: Action
) -> Explanation:
    """Explain a release that has not ended: what it waits for, and why its tasks do not start."""
    provider, where = kind(running), title(running)
    if provider == "Manual":
        return replace(explanation, action=where, note=f"waits for an approval in {where}")
    explanation = replace(explanation, action=where, note=f"is running in {where}")
    if (
        provider != "CodeDeployToECS"
        or not external_id(running)
        or _account_of(running) not in ("", account.id)
    ):
        return explanation
    cause = problem_in_progress(account, _target_names(names, running), external_id(running))
    return replace(explanation, cause=cause, note="is running in") if cause else explanation


def _cause(account: Account, names: Names, failed: Action) -> Cause:
    provider, id_ = kind(failed), external_id(failed)
    if provider == "Manual":
        return _explain_approval(failed)
    if provider == "CodeBuild" and id_ and (cause := explain_build(account, id_)):
        return cause
    if provider == "CodeDeployToECS":
        return _explain_deploy(account, _target_names(names, failed), failed)
    if provider == "CodeCommit":
        return _explain_source(failed)
    section = f'see "The stage {failed["stageName"]} failed" in docs/operations.md'
    return Cause("", one_line(message(failed)) or "no reason given", section)


def _explain_deploy(account: Account, target: Names, failed: Action) -> Cause:
    owner = _account_of(failed)
    if owner not in ("", account.id):
        cause = explain_message(target, message(failed))
        remedy = f"look at {external_id(failed) or target.application} with credentials of account {owner}"
        return replace(
            cause, remedy=f"{remedy}: aws deploy get-deployment --deployment-id {external_id(failed)}"
        )
    if not external_id(failed):
        return explain_message(target, message(failed))
    return explain_deployment(account, target, external_id(failed))


def _explain_approval(failed: Action) -> Cause:
    who = failed.get("updatedBy", "").rpartition(":")[2]
    said = one_line(message(failed)) or "without a comment"
    return Cause(
        "",
        f"rejected by {who}: {said}" if who else said,
        f"fix the version and push; if that was a mistake, or the approval expired, {RETRY}",
    )


def _explain_source(failed: Action) -> Cause:
    said = one_line(message(failed))
    return Cause("", said, "push the branch again" if "branch" in said.lower() else RETRY)


def _with_commands(cause: Cause, names: Names, execution: str, failed: Action) -> Cause:
    """Complete a remedy that retries the stage with the command that does."""
    command = (
        f"aws codepipeline retry-stage-execution --pipeline-name {names.pipeline} "
        f"--stage-name {failed['stageName']} --pipeline-execution-id {execution} --retry-mode FAILED_ACTIONS"
    )
    if RETRY not in cause.remedy:
        return cause
    return replace(cause, remedy=f"{cause.remedy}: {command}")


def _account_of(action: Action) -> str:
    """Return the account of the role that an action has assumed, or ""."""
    parts = str(action["input"].get("roleArn", "")).split(":")
    return parts[4] if len(parts) > 4 else ""


def _target_names(names: Names, action: Action) -> Names:
    """Return the names of the environment that an action deploys to: a promotion's is another."""
    application = action["input"].get("configuration", {}).get("ApplicationName", names.application)
    return Names(application.removeprefix("application-"))
