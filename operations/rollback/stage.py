"""Roll back a stage of the pipeline to an earlier execution, and wait until its version has all traffic."""

from collections.abc import Callable, Iterator, Sequence

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.clock import clock
from operations.errors import OperationsError
from operations.names import Names
from operations.quiesce import deployments
from operations.rollback.versions import Version
from operations.stage_entry import find_entry, override
from operations.waiting import NotYetError, wait_for
from operations.why.deployment import ecs_target
from operations.why.executions import ACTIVE, actions, executions

Log = Callable[[str], None]
# A canary takes most of it; nobody waits for the end of the tasks that it replaces.
DEADLINE_SECONDS = 3600.0
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RollbackStage.html
REFUSALS = frozenset(
    {"ConflictException", "PipelineExecutionOutdatedException", "UnableToRollbackStageException"}
)


def unreleased(account: Account, names: Names, released: Sequence[Version]) -> Iterator[str]:
    """Yield each active execution that the stage has not released yet, with its commit."""
    known = {version.execution for version in released}
    for one in executions(account, names):
        execution = one["pipelineExecutionId"]
        if one["status"] in ACTIVE and execution not in known:
            commit = (one.get("sourceRevisions") or [{}])[0].get("revisionId", "")
            yield f"the execution {execution} of commit {commit[:7] or 'unknown'}"


def check(account: Account, names: Names, released: Sequence[Version], promotion: str) -> None:
    """Raise `OperationsError` if an execution is on its way, or an alarm would stop the deployment.

    CodePipeline only refuses while the stage itself runs. An execution before it would undo the rollback.
    """
    if running := next(unreleased(account, names, released), ""):
        raise OperationsError(
            f"{running} is in progress, and would be released after the rollback: wait until it ends, or "
            "stop it (aws codepipeline stop-pipeline-execution)"
        )
    if promotion:
        return
    group = account.client("codedeploy").get_deployment_group(
        applicationName=names.application, deploymentGroupName=names.deployment_group
    )["deploymentGroupInfo"]
    configuration = group.get("alarmConfiguration", {})
    alarms = [one["name"] for one in configuration.get("alarms", [])]
    if not alarms or not configuration.get("enabled"):
        return
    found = account.pages(
        "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNames=alarms, StateValue="ALARM"
    )
    if active := sorted(one["AlarmName"] for one in found):
        raise OperationsError(
            f'{", ".join(active)} in ALARM would stop the deployment: see "Deploying a fix while an alarm is '
            'active" in docs/operations.md'
        )


def roll_back(account: Account, names: Names, stage: str, version: Version, log: Log) -> bool:
    """Release a version again; return whether it has all traffic, or waits for its approval."""
    execution = _start(account, names, stage, version)
    log(f"releasing {version.title} again: execution {execution}")
    if stage != "Deploy":
        target, source = stage.removeprefix("Promote-"), f"{names.suffix}@{account.id}"
        log(f"{stage} waits for an approval, as it does for each release; with approvers, one of them runs:")
        log(f"python -m operations approve {target} --from {source} --commit {version.commit}")
        return True
    with clock(f"waiting until {version.title} has all traffic"):
        _enter(account, names, execution, log)
        has_succeeded = wait_for(
            f"rollback to {version.title}",
            lambda: _has_shifted(account, names, execution),
            deadline=DEADLINE_SECONDS,
        )
    if has_succeeded:
        log(f"{version.title} answers alone")
    else:
        log(f"the rollback has failed: python -m operations why {names.suffix}")
    return has_succeeded


def _start(account: Account, names: Names, stage: str, version: Version) -> str:
    try:
        answer = account.client("codepipeline").rollback_stage(
            pipelineName=names.pipeline, stageName=stage, targetPipelineExecutionId=version.execution
        )
    except ClientError as error:
        if code_of(error) not in REFUSALS:
            raise
        message = error.response["Error"].get("Message", "")
        raise OperationsError(f"CodePipeline does not go back to {version.title}: {message}") from error
    return str(answer["pipelineExecutionId"])


def _enter(account: Account, names: Names, execution: str, log: Log) -> None:
    """Let a rollback in outside of the deployment window, which is for releases of something new."""

    def look() -> None:
        entry = find_entry(account, names, execution)
        if entry and entry.status:
            override(account, names, entry)
            log(f"let it into {entry.stage}, outside of the deployment window")
        elif entry:
            log(f"it {entry.text}: aws codepipeline enable-stage-transition")
        elif not _has_begun(account, names, execution):
            raise NotYetError(f"the execution {execution} has not begun")

    wait_for(f"the start of the execution {execution}", look, deadline=120)


def _has_begun(account: Account, names: Names, execution: str) -> bool:
    """Return whether an action of an execution runs, or the execution has ended."""
    answer = account.client("codepipeline").get_pipeline_execution(
        pipelineName=names.pipeline, pipelineExecutionId=execution
    )
    return answer["pipelineExecution"]["status"] not in ACTIVE or bool(actions(account, names, execution))


def _has_shifted(account: Account, names: Names, execution: str) -> bool:
    """Return True once the release has all traffic, or False if it has ended without."""
    answer = account.client("codepipeline").get_pipeline_execution(
        pipelineName=names.pipeline, pipelineExecutionId=execution
    )
    status = answer["pipelineExecution"]["status"]
    if status not in ACTIVE:
        return bool(status == "Succeeded")
    for deployment in deployments(names.suffix, account):
        events = ecs_target(account, deployment).get("lifecycleEvents", [])
        if ("AllowTraffic", "Succeeded") in [(one["lifecycleEventName"], one["status"]) for one in events]:
            return True
    raise NotYetError(f"the execution {execution} is {status}")
