"""What is known of a pipeline and of each of its executions: plain records, changed only by the engine."""

import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_aws.core.api import now
from local_aws.services.codepipeline.artifacts import Artifact
from local_aws.services.codepipeline.structure import Action, Pipeline, Stage

FINAL = frozenset({"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"})


def new_id() -> str:
    """Return an id as AWS gives executions and approval tokens."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Revision:
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
    action: Action
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
    error: tuple[str, str] | None = None
    token: str | None = None
    # It began before local_aws ended: what it has started may not be noted yet.
    taken_up: bool = False
    updated_by: str | None = None
    approval: dict[str, str] | None = None
    revision: Revision | None = None
    inputs: list[Artifact] = field(default_factory=list)
    outputs: list[Artifact] = field(default_factory=list)
    configuration: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)


@dataclass
class Execution:
    """One execution of a pipeline, pinned to the structure it started with."""

    pipeline: Pipeline
    trigger_type: str
    trigger_detail: str
    variables: dict[str, str]
    overrides: dict[str, str]
    id: str = field(default_factory=new_id)
    status: str = "InProgress"
    status_summary: str | None = None
    started: datetime = field(default_factory=now)
    changed: datetime = field(default_factory=now)
    attempt: int = 1
    # None, "wait" (stop when the running actions are done) or "abandon" (stop now).
    stop: str | None = None
    stop_reason: str | None = None
    abandoned: threading.Event = field(default_factory=threading.Event)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    revisions: list[Revision] = field(default_factory=list)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    stage_status: dict[str, str] = field(default_factory=dict)
    actions: list[ActionExecution] = field(default_factory=list)
    # Ids of runs that a retry of ALL_ACTIONS does again, though they succeeded.
    rerun_ids: set[str] = field(default_factory=set)
    # The stage in front of which the execution waits.
    waiting_for: str | None = None

    def latest(self, stage: str, action: str) -> ActionExecution | None:
        """Return the last run of an action in this execution."""
        runs = [run for run in self.actions if (run.stage, run.action.name) == (stage, action)]
        return runs[-1] if runs else None


@dataclass
class StageState:
    """What a stage of a pipeline holds: the execution inside, those in front of it, and the transition."""

    occupant: Execution | None = None
    waiting: list[Execution] = field(default_factory=list)
    latest: Execution | None = None
    disabled_reason: str | None = None
    transition_changed: datetime | None = None
    transition_changed_by: str | None = None
    actions: dict[str, ActionExecution] = field(default_factory=dict)


@dataclass
class Line:
    """A pipeline with all its versions, executions and stages."""

    versions: dict[int, Pipeline]
    tags: dict[str, str]
    # CloudFormation's own tags (`aws:...`), which no caller may set, change or count.
    marks: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    executions: list[Execution] = field(default_factory=list)
    stages: dict[str, StageState] = field(default_factory=dict)
    # clientRequestToken -> the execution that it started.
    tokens: dict[str, str] = field(default_factory=dict)
    deleted: bool = False

    @property
    def pipeline(self) -> Pipeline:
        """Return the newest version."""
        return self.versions[max(self.versions)]

    def state(self, stage: Stage | str) -> StageState:
        """Return what is known of a stage; a stage keeps its state over versions by its name."""
        name = stage if isinstance(stage, str) else stage.name
        return self.stages.setdefault(name, StageState())

    def execution(self, execution_id: str) -> Execution | None:
        """Return an execution by id."""
        return next((run for run in self.executions if run.id == execution_id), None)


def drop_none(record: dict[str, Any]) -> dict[str, Any]:
    """Return `record` without the members that are None: AWS leaves them out."""
    return {key: value for key, value in record.items() if value is not None}
