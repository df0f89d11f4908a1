"""What keeps an execution out of a stage: the entry condition, or the disabled transition."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.errors import OperationsError
from operations.names import Names

OVERRIDABLE = ("Failed", "InProgress")
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_OverrideStageCondition.html
REFUSALS = frozenset(
    {"ConditionNotOverridableException", "ConflictException", "NotLatestPipelineExecutionException"}
)


@dataclass(frozen=True)
class Entry:
    """An execution before a stage; `status` is that of the entry condition, and empty for a transition."""

    execution: str
    stage: str
    status: str
    reason: str

    @property
    def text(self) -> str:
        """What it waits for, or why it was not let in."""
        if not self.status:
            return f"waits before {self.stage}, which nothing enters: {self.reason}"
        if self.status == "Failed":
            return f"was not let into {self.stage}, outside of the deployment window"
        return f"waits before {self.stage} for the deployment window"


def find_entries(account: Account, names: Names) -> list[Entry]:
    """Return the executions that something keeps out of a stage."""
    state = account.client("codepipeline").get_pipeline_state(name=names.pipeline)
    found = []
    for stage in state["stageStates"]:
        name, transition = stage["stageName"], stage.get("inboundTransitionState", {})
        status = stage.get("beforeEntryConditionState", {}).get("latestExecution", {}).get("status", "")
        if status in OVERRIDABLE and "latestExecution" in stage:
            execution = stage["latestExecution"]["pipelineExecutionId"]
            found.append(Entry(execution, name, status, "the deployment window"))
        if "inboundExecution" in stage and not transition.get("enabled", True):
            execution = stage["inboundExecution"]["pipelineExecutionId"]
            found.append(Entry(execution, name, "", transition.get("disabledReason", "no reason given")))
    return found


def find_entry(account: Account, names: Names, execution: str) -> Entry | None:
    """Return what keeps an execution out of a stage, if anything does."""
    return next((one for one in find_entries(account, names) if one.execution == execution), None)


def override(account: Account, names: Names, entry: Entry) -> None:
    """Let an execution into the stage although its entry condition is not met. Raises `OperationsError`."""
    try:
        account.client("codepipeline").override_stage_condition(
            pipelineName=names.pipeline,
            stageName=entry.stage,
            pipelineExecutionId=entry.execution,
            conditionType="BEFORE_ENTRY",
        )
    except ClientError as error:
        if code_of(error) not in REFUSALS:
            raise
        message = error.response["Error"].get("Message", "")
        raise OperationsError(f"CodePipeline does not let {entry.execution} in: {message}") from error
