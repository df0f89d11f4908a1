"""Find the execution to explain, and the action of it that failed."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.errors import OperationsError
from operations.names import Names
from operations.quiesce import GONE

ACTIVE = ("InProgress", "Stopping")
Summary = Mapping[str, Any]
Action = Mapping[str, Any]


def executions(account: Account, names: Names, *, released_by: str = "") -> Iterator[Summary]:
    """Yield the executions of the pipeline, the newest first; `released_by` a stage, if one is given.

    CodePipeline filters by stage only executions of the current version of the pipeline:
    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_SucceededInStageFilter.html
    Raises `OperationsError` without a pipeline.
    """
    stage = {"filter": {"succeededInStage": {"stageName": released_by}}} if released_by else {}
    try:
        yield from account.pages(
            "codepipeline",
            "list_pipeline_executions",
            "pipelineExecutionSummaries",
            pipelineName=names.pipeline,
            **stage,
        )
    except ClientError as error:
        if code_of(error) in GONE:
            raise OperationsError(
                f"there is no {names.pipeline} in account {account.id}, {account.region}: "
                "deploy it first, or check the suffix and the account"
            ) from error
        raise


def newest(account: Account, names: Names, execution: str = "") -> Summary | None:
    """Return the newest execution, or the one with this id; None if the pipeline has had none."""
    for summary in executions(account, names):
        if not execution or summary["pipelineExecutionId"] == execution:
            return summary
    if execution:
        raise OperationsError(f"{names.pipeline} has no execution {execution}")
    return None


def actions(account: Account, names: Names, execution: str) -> list[Action]:
    """Return the last run of each action of an execution, in the order in which they began."""
    found = account.pages(
        "codepipeline",
        "list_action_executions",
        "actionExecutionDetails",
        pipelineName=names.pipeline,
        filter={"pipelineExecutionId": execution},
    )
    # The newest is first, so the last run of an action is the first one here.
    last: dict[tuple[str, str], Action] = {}
    for action in found:
        last.setdefault((action["stageName"], action["actionName"]), action)
    return sorted(last.values(), key=lambda action: action["startTime"])


def with_status(found: list[Action], status: str) -> Action | None:
    """Return the first action with this status."""
    return next((action for action in found if action["status"] == status), None)


def title(action: Action) -> str:
    """Return the name of an action with its stage's, if they differ."""
    stage, name = str(action["stageName"]), str(action["actionName"])
    return stage if stage == name else f"{stage} ({name})"


def kind(action: Action) -> str:
    """Return the provider of an action, such as CodeBuild or Manual."""
    return str(action["input"]["actionTypeId"]["provider"])


def message(action: Action) -> str:
    """Return what CodePipeline says about an action."""
    result = action.get("output", {}).get("executionResult", {})
    return str(result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary") or "")


def external_id(action: Action) -> str:
    """Return the id of the build or the deployment that an action started, or ""."""
    return str(action.get("output", {}).get("executionResult", {}).get("externalExecutionId", ""))
