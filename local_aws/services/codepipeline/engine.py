"""The engine: runs executions through the stages of a pipeline, one execution at a time in each stage."""

import threading

from local_aws.core.api import now
from local_aws.core.context import Context
from local_aws.services.codepipeline.actions import Archive, complete, new_run, perform
from local_aws.services.codepipeline.errors import ActionAbandonedError, ActionFailedError
from local_aws.services.codepipeline.events import EventQueue
from local_aws.services.codepipeline.records import (
    FINAL_STATUSES,
    ActionExecution,
    Execution,
    PipelineState,
)
from local_aws.services.codepipeline.structure import ActionDeclaration, StageDeclaration


class Engine:
    """Runs each execution on a thread of its own. All records change under the service's lock.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
    """

    def __init__(self, context: Context, lock: threading.RLock, archive: Archive) -> None:
        self.context = context
        self.archive = archive
        self.events = EventQueue(context)
        self.lock = lock
        self.changed = threading.Condition(lock)
        self.closed = False

    def start(self, pipeline: PipelineState, execution: Execution) -> None:
        """Start a new execution (under the lock)."""
        pipeline.executions.append(execution)
        self.events.put_pipeline_event(execution, "STARTED")
        self._wait_for_stage(pipeline, execution, execution.stages[0])
        self._spawn(pipeline, execution, position=0, entered=False)

    def resume(self, pipeline: PipelineState) -> None:
        """Continue the executions that were running when local_aws ended (under the lock)."""
        for execution in pipeline.executions:
            if execution.status in FINAL_STATUSES:
                continue
            entered = [name for name, state in pipeline.stage_states.items() if state.current is execution]
            stage = entered[0] if entered else execution.inbound_stage
            names = [item.name for item in execution.stages]
            self._spawn(pipeline, execution, position=names.index(stage or ""), entered=bool(entered))

    def retry(
        self, pipeline: PipelineState, execution: Execution, stage: StageDeclaration, *, all_actions: bool
    ) -> None:
        """Retry the stage in which an execution ended (under the lock); it must be the stage's latest."""
        execution.status = "InProgress"
        execution.stop_mode = execution.stop_reason = None
        execution.abandoned = threading.Event()
        pipeline.stage_state(stage).current = execution
        execution.begin_attempt(stage.name, all_actions=all_actions)
        self.events.put_pipeline_event(execution, "RESUMED")
        self._start_stage(pipeline, execution, stage, "RESUMED")
        position = execution.stages.index(stage)
        self._spawn(pipeline, execution, position=position, entered=True)

    def stop(self, execution: Execution, *, abandon: bool, reason: str | None) -> None:
        """Request an execution to stop (under the lock); its own thread ends it."""
        execution.stop_mode = "abandon" if abandon else "wait"
        execution.stop_reason = reason or execution.stop_reason
        execution.status, execution.changed = "Stopping", now()
        self.events.put_pipeline_event(execution, "STOPPING")
        for stage, status in execution.stage_status.items():
            if status == "InProgress":
                execution.stage_status[stage] = "Stopping"
                self.events.put_stage_event(execution, stage, "STOPPING")
        if abandon:
            execution.abandoned.set()
        self.changed.notify_all()

    def abandon_all(self, pipeline: PipelineState) -> None:
        """End every execution of a deleted pipeline, without events (under the lock)."""
        pipeline.deleted = True
        for execution in pipeline.executions:
            execution.abandoned.set()
        self.changed.notify_all()

    def close(self, pipelines: list[PipelineState]) -> None:
        """End every thread (under the lock); the executions keep their status, for `resume`."""
        self.closed = True
        for pipeline in pipelines:
            self.abandon_all(pipeline)
        self.events.close()

    def _spawn(self, pipeline: PipelineState, execution: Execution, *, position: int, entered: bool) -> None:
        name = f"codepipeline-{execution.id[:8]}"
        self.context.spawn(name, self._run, pipeline, execution, position, entered)

    def _run(self, pipeline: PipelineState, execution: Execution, position: int, entered: bool) -> None:
        stages = execution.stages
        for stage, following in zip(stages[position:], [*stages[position + 1 :], None], strict=True):
            if not entered and not self._enter_stage(pipeline, execution, stage):
                return
            entered = False
            status = self._run_stage(pipeline, execution, stage)
            if status == "Failed" and self._begin_automatic_retry(pipeline, execution, stage):
                status = self._run_stage(pipeline, execution, stage)
            with self.changed:
                if self._is_closed(pipeline):
                    return
                self._leave_stage(pipeline, execution, stage, status, following)
                if execution.status in FINAL_STATUSES:
                    return

    def _wait_for_stage(self, pipeline: PipelineState, execution: Execution, stage: StageDeclaration) -> None:
        state = pipeline.stage_state(stage)
        state.inbound.append(execution)
        execution.inbound_stage = stage.name
        if not execution.declaration.queued:
            newest = max(state.inbound, key=pipeline.executions.index)
            for older in [item for item in state.inbound if item is not newest]:
                self._end(pipeline, older, "Superseded")
        self.changed.notify_all()

    def _enter_stage(self, pipeline: PipelineState, execution: Execution, stage: StageDeclaration) -> bool:
        state = pipeline.stage_state(stage)
        with self.changed:
            while not self._is_closed(pipeline) and execution.status != "Superseded":
                if execution.stop_mode:
                    self._end(pipeline, execution, "Stopped")
                    return False
                open_ = state.current is None and state.disabled_reason is None
                if open_ and state.inbound[0] is execution:
                    state.inbound.remove(execution)
                    state.current, execution.inbound_stage = execution, None
                    self._start_stage(pipeline, execution, stage, "STARTED")
                    return True
                self.changed.wait()
        return False

    def _start_stage(
        self, pipeline: PipelineState, execution: Execution, stage: StageDeclaration, event: str
    ) -> None:
        pipeline.stage_state(stage).latest = execution
        execution.stage_status[stage.name] = "InProgress"
        execution.changed = now()
        self.events.put_stage_event(execution, stage.name, event)

    def _run_stage(self, pipeline: PipelineState, execution: Execution, stage: StageDeclaration) -> str:
        """Run the stage's actions, one run order after the other, and return the stage's status."""
        if (entered := self._check_entry(pipeline, execution, stage)) != "Succeeded":
            return entered
        for actions in stage.run_orders():
            with self.lock:
                if execution.stop_mode or self._is_closed(pipeline):
                    return "Stopped"
                runs = [
                    self._start_action(pipeline, execution, stage, action)
                    for action in actions
                    if not _has_succeeded(execution, stage, action)
                ]
            status = self._run_actions(execution, runs)
            if status != "Succeeded":
                return status
        return "Stopped" if execution.stop_mode else "Succeeded"

    def _begin_automatic_retry(
        self, pipeline: PipelineState, execution: Execution, stage: StageDeclaration
    ) -> bool:
        """Return whether a stage with a failed action is retried by itself.

        AWS's pages name no events of it. Here the stage's are FAILED and RESUMED; the execution has none.
        """
        with self.lock:
            if self._is_closed(pipeline) or not execution.retries_automatically(stage):
                return False
            self.events.put_stage_event(execution, stage.name, "FAILED")
            execution.count_retry(stage.name, "AutomatedStageRetry")
            execution.begin_attempt(stage.name, all_actions=stage.retry_mode == "ALL_ACTIONS")
            self._start_stage(pipeline, execution, stage, "RESUMED")
            return True

    def _check_entry(self, pipeline: PipelineState, execution: Execution, stage: StageDeclaration) -> str:
        """Wait for the rules of the stage's entry condition, and return the stage's status after them."""
        if not stage.entry_rules:
            return "Succeeded"
        with self.changed:
            check = execution.entry_check(stage)
            while check.status == "InProgress":
                if self._is_closed(pipeline):
                    return "Stopped"
                if execution.stop_mode:
                    check.end("Abandoned")
                    return "Stopped"
                check.look(now(), self.context.clock.seconds(60))
                if check.status == "InProgress":
                    self.changed.wait(timeout=1)
            if check.status == "Failed":
                execution.status_summary = f"{stage.name}: an entry condition failed"
                return "Failed"
        return "Succeeded"

    def override(self, pipeline: PipelineState, execution: Execution, stage: StageDeclaration) -> None:
        """Let an execution into a stage whose entry condition has not succeeded (under the lock)."""
        has_failed = execution.entry_checks[stage.name].status == "Failed"
        execution.entry_checks[stage.name].end("Overridden")
        if has_failed:
            self.retry(pipeline, execution, stage, all_actions=False)
        self.changed.notify_all()

    def _run_actions(self, execution: Execution, runs: list[ActionExecution]) -> str:
        """Run actions in parallel and return the stage's status after them."""
        threads = [
            self.context.spawn(f"codepipeline-{run.action.name}", self._run_action, execution, run)
            for run in runs
        ]
        for thread in threads:
            thread.join()
        # An unexpected error in a thread is in `context.background_errors`, and its run is Failed.
        statuses = {run.status for run in runs}
        if "Failed" in statuses:
            return "Failed"
        return "Stopped" if "Abandoned" in statuses else "Succeeded"

    def _start_action(
        self,
        pipeline: PipelineState,
        execution: Execution,
        stage: StageDeclaration,
        action: ActionDeclaration,
    ) -> ActionExecution:
        latest = execution.latest_run(stage.name, action.name)
        if latest is not None and latest.status == "InProgress":
            latest.resumed = True
            return latest
        run = new_run(execution, stage.name, action)
        execution.actions.append(run)
        pipeline.stage_state(stage).actions[action.name] = run
        execution.changed = now()
        self.events.put_action_event(execution, run, "STARTED")
        return run

    def _run_action(self, execution: Execution, run: ActionExecution) -> None:
        try:
            perform(self.context, self.lock, self.archive, execution, run)
        except ActionFailedError as error:
            self._fail(execution, run, error.code, error.message)
        except ActionAbandonedError:
            with self.lock:
                run.status, run.changed = "Abandoned", now()
                if not self.closed:
                    self.events.put_action_event(execution, run, "ABANDONED")
        except BaseException as error:
            self._fail(execution, run, "SystemUnavailable", f"local_aws failed: {error!r}")
            raise
        else:
            with self.lock:
                complete(execution, run)
                self.events.put_action_event(execution, run, "SUCCEEDED")

    def _fail(self, execution: Execution, run: ActionExecution, code: str, message: str) -> None:
        with self.lock:
            run.status, run.changed, run.error = "Failed", now(), (code, message)
            if execution.status_summary is None:
                execution.status_summary = f"{run.stage}/{run.action.name}: {message}"
            self.events.put_action_event(execution, run, "FAILED")

    def _leave_stage(
        self,
        pipeline: PipelineState,
        execution: Execution,
        stage: StageDeclaration,
        status: str,
        following: StageDeclaration | None,
    ) -> None:
        execution.stage_status[stage.name] = status
        pipeline.stage_state(stage).current = None
        self.events.put_stage_event(execution, stage.name, status.upper())
        if status != "Succeeded" or following is None:
            self._end(pipeline, execution, status)
        else:
            execution.changed = now()
            self._wait_for_stage(pipeline, execution, following)
        self.changed.notify_all()

    def _end(self, pipeline: PipelineState, execution: Execution, status: str) -> None:
        for state in pipeline.stage_states.values():
            state.inbound = [item for item in state.inbound if item is not execution]
        execution.inbound_stage = None
        execution.status, execution.changed = status, now()
        self.events.put_pipeline_event(execution, status.upper())
        self.changed.notify_all()

    def _is_closed(self, pipeline: PipelineState) -> bool:
        return self.closed or pipeline.deleted


def _has_succeeded(execution: Execution, stage: StageDeclaration, action: ActionDeclaration) -> bool:
    # True only in a retry: its successful actions do not run again.
    run = execution.latest_run(stage.name, action.name)
    return run is not None and run.status == "Succeeded" and run.id not in execution.rerun_ids
