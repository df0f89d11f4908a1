"""What CodePipeline keeps of a pipeline and of each of its executions. Only the engine changes executions."""

import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from local_aws.core.api import now
from local_aws.services.codepipeline.artifacts import Artifact
from local_aws.services.codepipeline.conditions import EntryCheck, RuleRun
from local_aws.services.codepipeline.structure import ActionDeclaration, PipelineDeclaration, StageDeclaration

RetryTrigger = Literal["AutomatedStageRetry", "ManualStageRetry"]
FINAL_STATUSES = frozenset({"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"})


def new_id() -> str:
    """Return a new ID in the format of execution IDs and approval tokens."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class SourceRevision:
    """The source revision that a source action resolved."""

    action: str
    id: str
    summary: str
    url: str
    created: datetime


@dataclass
class ActionExecution:
    """One run of an action; the names are those of the API's ActionExecution and ActionExecutionDetail."""

    stage: str
    action: ActionDeclaration
    version: int
    execution_id: str
    id: str = field(default_factory=new_id)
    status: str = "InProgress"
    started: datetime = field(default_factory=now)
    changed: datetime = field(default_factory=now)
    summary: str | None = None
    external_id: str | None = None
    external_url: str | None = None
    entity_url: str | None = None
    # Code and message.
    error: tuple[str, str] | None = None
    token: str | None = None
    # It started before a restart of local_aws, which may have come before `external_id` was recorded.
    resumed: bool = False
    updated_by: str | None = None
    approval: dict[str, str] | None = None
    revision: SourceRevision | None = None
    inputs: list[Artifact] = field(default_factory=list)
    outputs: list[Artifact] = field(default_factory=list)
    configuration: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rollback:
    """The stage that an execution rolls back, and the ID of the execution to which it does."""

    stage: str
    target: str


@dataclass
class StageRetries:
    """How often a stage was retried in one execution, by itself and by a person, and which was the latest.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RetryStageMetadata.html
    """

    automatic: int = 0
    manual: int = 0
    latest: RetryTrigger | None = None


@dataclass
class Execution:
    """One execution of a pipeline, with the version of the pipeline that it started with."""

    declaration: PipelineDeclaration
    trigger_type: str
    trigger_detail: str
    variables: dict[str, str]
    # Commit IDs of StartPipelineExecution's `sourceRevisions`, by the name of the source action.
    revision_overrides: dict[str, str]
    id: str = field(default_factory=new_id)
    status: str = "InProgress"
    status_summary: str | None = None
    started: datetime = field(default_factory=now)
    changed: datetime = field(default_factory=now)
    attempt: int = 1
    # `wait` stops when the running actions have ended, `abandon` immediately.
    stop_mode: Literal["wait", "abandon"] | None = None
    stop_reason: str | None = None
    abandoned: threading.Event = field(default_factory=threading.Event)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    revisions: list[SourceRevision] = field(default_factory=list)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    stage_status: dict[str, str] = field(default_factory=dict)
    actions: list[ActionExecution] = field(default_factory=list)
    # Action executions that succeeded and that a retry of ALL_ACTIONS repeats.
    rerun_ids: set[str] = field(default_factory=set)
    # By stage; a stage that was not retried has none.
    retries: dict[str, StageRetries] = field(default_factory=dict)
    # The runs of entry conditions, by stage.
    entry_checks: dict[str, EntryCheck] = field(default_factory=dict)
    # The stage that the execution waits to enter.
    inbound_stage: str | None = None
    rollback: Rollback | None = None

    @property
    def stages(self) -> Sequence[StageDeclaration]:
        """Return the stages that the execution runs, in their order: a rollback runs one."""
        if self.rollback:
            return [self.declaration.stage(self.rollback.stage)]
        return self.declaration.stages

    def entry_check(self, stage: StageDeclaration) -> EntryCheck:
        """Return the run of a stage's entry condition; after one that failed, a new one."""
        found = self.entry_checks.get(stage.name)
        if found is None or found.status == "Failed":
            earlier = [*found.earlier, *found.rules] if found else []
            rules = [RuleRun(rule, new_id()) for rule in stage.entry_rules]
            found = EntryCheck(stage.name, self.id, self.declaration.version, rules, earlier=earlier)
            self.entry_checks[stage.name] = found
        return found

    def begin_attempt(self, stage: str, *, all_actions: bool) -> None:
        """Begin another attempt, which runs the failed actions of a stage again, or all of them."""
        self.attempt += 1
        self.status_summary = None
        if all_actions:
            self.rerun_ids.update(run.id for run in self.actions if run.stage == stage)

    def retries_automatically(self, stage: StageDeclaration) -> bool:
        """Return whether a stage is retried by itself: once, if an action of it has failed."""
        last = (self.latest_run(stage.name, action.name) for action in stage.actions)
        has_failed = any(run is not None and run.status == "Failed" for run in last)
        retried = stage.name in self.retries and self.retries[stage.name].automatic > 0
        return has_failed and stage.retry_mode is not None and not retried and not self.stop_mode

    def count_retry(self, stage: str, trigger: RetryTrigger) -> None:
        """Count a retry of a stage."""
        retries = self.retries.setdefault(stage, StageRetries())
        retries.latest = trigger
        if trigger == "AutomatedStageRetry":
            retries.automatic += 1
        else:
            retries.manual += 1

    def latest_run(self, stage: str, action: str) -> ActionExecution | None:
        """Return the last run of an action in this execution."""
        runs = [run for run in self.actions if (run.stage, run.action.name) == (stage, action)]
        return runs[-1] if runs else None


@dataclass
class StageState:
    """The executions of a stage (in it, waiting to enter it, the latest one) and its inbound transition."""

    current: Execution | None = None
    inbound: list[Execution] = field(default_factory=list)
    latest: Execution | None = None
    disabled_reason: str | None = None
    transition_changed: datetime | None = None
    transition_changed_by: str | None = None
    actions: dict[str, ActionExecution] = field(default_factory=dict)


@dataclass
class PipelineState:
    """A pipeline with all its versions, executions and stages."""

    versions: dict[int, PipelineDeclaration]
    tags: dict[str, str]
    # The tags that CloudFormation sets (`aws:...`): callers cannot change them, and they count for no quota.
    reserved_tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    executions: list[Execution] = field(default_factory=list)
    stage_states: dict[str, StageState] = field(default_factory=dict)
    # clientRequestToken -> the ID of the execution that it started.
    request_tokens: dict[str, str] = field(default_factory=dict)
    deleted: bool = False

    @property
    def declaration(self) -> PipelineDeclaration:
        """Return the newest version."""
        return self.versions[max(self.versions)]

    def stage_state(self, stage: StageDeclaration) -> StageState:
        """Return the state of a stage; all versions of the pipeline share it, by the stage's name."""
        return self.stage_states.setdefault(stage.name, StageState())

    def execution(self, execution_id: str) -> Execution | None:
        """Return an execution by its ID."""
        return next((run for run in self.executions if run.id == execution_id), None)
