"""The API structures that CodePipeline returns. `drop_none` removes their members that are None."""

from collections.abc import Mapping
from datetime import datetime
from typing import NotRequired, TypedDict, TypeVar, cast

Shape = TypeVar("Shape", bound=Mapping[str, object])


class ErrorDetails(TypedDict):
    """API structure ErrorDetails."""

    code: str
    message: str


class S3Location(TypedDict):
    """API structure S3Location."""

    bucket: str
    key: str


class ArtifactDetail(TypedDict):
    """API structure ArtifactDetail."""

    name: str
    s3location: S3Location


class TransitionStateShape(TypedDict):
    """API structure TransitionState."""

    enabled: bool
    lastChangedBy: str | None
    lastChangedAt: datetime | None
    disabledReason: str | None


class StageExecutionShape(TypedDict):
    """API structure StageExecution."""

    pipelineExecutionId: str
    status: str
    type: NotRequired[str]


class ActionRevisionShape(TypedDict):
    """API structure ActionRevision."""

    revisionId: str
    revisionChangeId: str
    created: datetime


class ActionExecutionShape(TypedDict):
    """API structure ActionExecution."""

    actionExecutionId: str
    status: str
    summary: str | None
    lastStatusChange: datetime
    token: str | None
    lastUpdatedBy: str | None
    externalExecutionId: str | None
    externalExecutionUrl: str | None
    errorDetails: ErrorDetails | None


class ActionStateShape(TypedDict):
    """API structure ActionState."""

    actionName: str
    currentRevision: NotRequired[ActionRevisionShape]
    latestExecution: NotRequired[ActionExecutionShape]
    entityUrl: NotRequired[str | None]
    revisionUrl: NotRequired[str]


class RuleExecutionShape(TypedDict):
    """API structure RuleExecution."""

    ruleExecutionId: str
    status: str
    summary: str | None
    lastStatusChange: datetime


class RuleStateShape(TypedDict):
    """API structure RuleState."""

    ruleName: str
    latestExecution: RuleExecutionShape


class ConditionExecutionShape(TypedDict):
    """API structures ConditionExecution and StageConditionsExecution, which has no time."""

    status: str
    lastStatusChange: NotRequired[datetime]


class ConditionStateShape(TypedDict):
    """API structure ConditionState."""

    latestExecution: ConditionExecutionShape
    ruleStates: list[RuleStateShape]


class StageConditionStateShape(TypedDict):
    """API structure StageConditionState."""

    latestExecution: ConditionExecutionShape
    conditionStates: list[ConditionStateShape]


class RetryStageMetadataShape(TypedDict):
    """API structure RetryStageMetadata; a number has a minimum of 1, so 0 is None."""

    autoStageRetryAttempt: int | None
    manualStageRetryAttempt: int | None
    latestRetryTrigger: str | None


class StageStateShape(TypedDict):
    """API structure StageState."""

    stageName: str
    inboundExecution: StageExecutionShape | None
    inboundExecutions: list[StageExecutionShape]
    inboundTransitionState: TransitionStateShape
    actionStates: list[ActionStateShape]
    latestExecution: StageExecutionShape | None
    beforeEntryConditionState: StageConditionStateShape | None
    retryStageMetadata: RetryStageMetadataShape | None


class PipelineStateShape(TypedDict):
    """The answer of GetPipelineState."""

    pipelineName: str
    pipelineVersion: int
    stageStates: list[StageStateShape]
    created: datetime
    updated: datetime


class PipelineSummaryShape(TypedDict):
    """API structure PipelineSummary."""

    name: str
    version: int
    pipelineType: str
    executionMode: str
    created: datetime
    updated: datetime


class TriggerShape(TypedDict):
    """API structure ExecutionTrigger."""

    triggerType: str
    triggerDetail: str


class ArtifactRevisionShape(TypedDict):
    """API structure ArtifactRevision."""

    name: str
    revisionId: str
    revisionSummary: str | None
    created: datetime
    revisionUrl: str


class PipelineExecutionShape(TypedDict):
    """API structure PipelineExecution."""

    pipelineName: str
    pipelineVersion: int
    pipelineExecutionId: str
    status: str
    statusSummary: str | None
    artifactRevisions: list[ArtifactRevisionShape]
    variables: list[dict[str, str]]
    trigger: TriggerShape
    executionMode: str
    executionType: str
    rollbackMetadata: dict[str, str] | None


class SourceRevisionShape(TypedDict):
    """API structure SourceRevision."""

    actionName: str
    revisionId: str
    revisionSummary: str | None
    revisionUrl: str


class ExecutionSummaryShape(TypedDict):
    """API structure PipelineExecutionSummary."""

    pipelineExecutionId: str
    status: str
    statusSummary: str | None
    startTime: datetime
    lastUpdateTime: datetime
    sourceRevisions: list[SourceRevisionShape]
    stopTrigger: dict[str, str] | None
    trigger: TriggerShape
    executionMode: str
    executionType: str
    rollbackMetadata: dict[str, str] | None


class ActionTypeIdShape(TypedDict):
    """API structure ActionTypeId."""

    category: str
    owner: str
    provider: str
    version: str


class ActionInputShape(TypedDict):
    """API structure ActionExecutionInput."""

    actionTypeId: ActionTypeIdShape
    configuration: dict[str, str]
    resolvedConfiguration: dict[str, str]
    roleArn: str | None
    region: str
    inputArtifacts: list[ArtifactDetail]
    namespace: str | None


class ActionResultShape(TypedDict):
    """API structure ActionExecutionResult."""

    externalExecutionId: str | None
    externalExecutionSummary: str | None
    externalExecutionUrl: str | None
    errorDetails: ErrorDetails | None


class ActionOutputShape(TypedDict):
    """API structure ActionExecutionOutput."""

    outputArtifacts: list[ArtifactDetail]
    executionResult: ActionResultShape
    outputVariables: dict[str, str]


class ActionExecutionDetailShape(TypedDict):
    """API structure ActionExecutionDetail."""

    pipelineExecutionId: str
    actionExecutionId: str
    pipelineVersion: int
    stageName: str
    actionName: str
    startTime: datetime
    lastUpdateTime: datetime
    updatedBy: str | None
    status: str
    input: ActionInputShape
    output: ActionOutputShape


def drop_none(shape: Shape) -> Shape:
    """Return `shape` without the members that are None: AWS leaves them out of answers and events."""
    return cast(Shape, {name: value for name, value in shape.items() if value is not None})
