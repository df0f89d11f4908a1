"""The engine: carries executions through the stages of a pipeline, one at a time in each stage."""

import threading

from local_aws.core.api import now
from local_aws.core.context import Context
from local_aws.services.codepipeline.action_context import ActionAbandonedError, ActionFailedError
from local_aws.services.codepipeline.actions import Archive, perform, prepare, settle
from local_aws.services.codepipeline.events import Outbox
from local_aws.services.codepipeline.records import FINAL, ActionExecution, Execution, Line
from local_aws.services.codepipeline.structure import Action, Stage


class Engine:
    """Runs executions, each on a thread. All records change under the service's lock.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
    """

    def __init__(self, context: Context, lock: threading.RLock, archive: Archive) -> None:
        self.context = context
        self.archive = archive
        self.outbox = Outbox(context)
        self.lock = lock
        self.changed = threading.Condition(lock)
        self.closed = False

    def start(self, line: Line, execution: Execution) -> None:
        """Put a new execution in front of the first stage (under the lock) and let it go."""
        line.executions.append(execution)
        self.outbox.pipeline(execution, "STARTED")
        self._wait_in_front(line, execution, execution.pipeline.stages[0])
        self.context.spawn(f"codepipeline-{execution.id[:8]}", self._run, line, execution, 0, False)

    def resume(self, line: Line) -> None:
        """Go on with a pipeline's executions where they were when local_aws ended (under the lock)."""
        for execution in line.executions:
            if execution.status in FINAL:
                continue
            inside = [name for name, state in line.stages.items() if state.occupant is execution]
            stage = inside[0] if inside else execution.waiting_for
            position = next(n for n, one in enumerate(execution.pipeline.stages) if one.name == stage)
            name = f"codepipeline-{execution.id[:8]}"
            self.context.spawn(name, self._run, line, execution, position, bool(inside))

    def retry(self, line: Line, execution: Execution, stage: Stage, *, everything: bool) -> None:
        """Resume an execution in the stage where it ended (under the lock); the stage is free and its own."""
        execution.status, execution.status_summary = "InProgress", None
        execution.stop = execution.stop_reason = None
        execution.abandoned = threading.Event()
        execution.attempt += 1
        line.state(stage).occupant = execution
        if everything:
            execution.rerun_ids.update(run.id for run in execution.actions if run.stage == stage.name)
        self.outbox.pipeline(execution, "RESUMED")
        self._begin(line, execution, stage, "RESUMED")
        position = execution.pipeline.stages.index(stage)
        self.context.spawn(f"codepipeline-{execution.id[:8]}", self._run, line, execution, position, True)

    def stop(self, execution: Execution, *, abandon: bool, reason: str | None) -> None:
        """Ask an execution to stop (under the lock); its own thread brings it to an end."""
        execution.stop = "abandon" if abandon else "wait"
        execution.stop_reason = reason or execution.stop_reason
        execution.status, execution.changed = "Stopping", now()
        self.outbox.pipeline(execution, "STOPPING")
        for stage, status in execution.stage_status.items():
            if status == "InProgress":
                execution.stage_status[stage] = "Stopping"
                self.outbox.stage(execution, stage, "STOPPING")
        if abandon:
            execution.abandoned.set()
        self.changed.notify_all()

    def drop(self, line: Line) -> None:
        """End every execution of a deleted pipeline without a word (under the lock)."""
        line.deleted = True
        for execution in line.executions:
            execution.abandoned.set()
        self.changed.notify_all()

    def close(self, lines: list[Line]) -> None:
        """End every thread (under the lock); what was running is not told as stopped."""
        self.closed = True
        for line in lines:
            self.drop(line)
        self.outbox.close()

    def _run(self, line: Line, execution: Execution, position: int, entered: bool) -> None:
        stages = execution.pipeline.stages
        for stage, following in zip(stages[position:], [*stages[position + 1 :], None], strict=True):
            if not entered and not self._enter(line, execution, stage):
                return
            entered = False
            status = self._stage(line, execution, stage)
            with self.changed:
                if self._gone(line):
                    return
                self._leave(line, execution, stage, status, following)
                if execution.status in FINAL:
                    return

    def _wait_in_front(self, line: Line, execution: Execution, stage: Stage) -> None:
        state = line.state(stage)
        state.waiting.append(execution)
        execution.waiting_for = stage.name
        if not execution.pipeline.queued:
            newest = max(state.waiting, key=line.executions.index)
            for older in [item for item in state.waiting if item is not newest]:
                self._end(line, older, "Superseded")
        self.changed.notify_all()

    def _enter(self, line: Line, execution: Execution, stage: Stage) -> bool:
        state = line.state(stage)
        with self.changed:
            while not self._gone(line) and execution.status != "Superseded":
                if execution.stop:
                    self._end(line, execution, "Stopped")
                    return False
                free = state.occupant is None and state.disabled_reason is None
                if free and state.waiting[0] is execution:
                    state.waiting.remove(execution)
                    state.occupant, execution.waiting_for = execution, None
                    self._begin(line, execution, stage, "STARTED")
                    return True
                self.changed.wait()
        return False

    def _begin(self, line: Line, execution: Execution, stage: Stage, event: str) -> None:
        line.state(stage).latest = execution
        execution.stage_status[stage.name] = "InProgress"
        execution.changed = now()
        self.outbox.stage(execution, stage.name, event)

    def _stage(self, line: Line, execution: Execution, stage: Stage) -> str:
        """Run the stage's actions and return the stage's status."""
        for actions in stage.run_orders():
            with self.lock:
                if execution.stop or self._gone(line):
                    return "Stopped"
                runs = [
                    self._begin_action(line, execution, stage, action)
                    for action in actions
                    if not _succeeded(execution, stage, action)
                ]
            threads = [
                self.context.spawn(f"codepipeline-{run.action.name}", self._action, execution, run)
                for run in runs
            ]
            for thread in threads:
                thread.join()
            # An error of ours in a thread fails its run, and stays in `context.background_errors`.
            statuses = {run.status for run in runs}
            if "Failed" in statuses:
                return "Failed"
            if "Abandoned" in statuses:
                return "Stopped"
        return "Stopped" if execution.stop else "Succeeded"

    def _begin_action(
        self, line: Line, execution: Execution, stage: Stage, action: Action
    ) -> ActionExecution:
        known = execution.latest(stage.name, action.name)
        if known is not None and known.status == "InProgress":
            known.taken_up = True
            return known
        run = prepare(execution, stage.name, action)
        execution.actions.append(run)
        line.state(stage).actions[action.name] = run
        execution.changed = now()
        self.outbox.action(execution, run, "STARTED")
        return run

    def _action(self, execution: Execution, run: ActionExecution) -> None:
        try:
            perform(self.context, self.lock, self.archive, execution, run)
        except ActionFailedError as error:
            self._fail(execution, run, error.code, error.message)
        except ActionAbandonedError:
            with self.lock:
                run.status, run.changed = "Abandoned", now()
                if not self.closed:
                    self.outbox.action(execution, run, "ABANDONED")
        except BaseException as error:
            self._fail(execution, run, "SystemUnavailable", f"local_aws has a fault: {error!r}")
            raise
        else:
            with self.lock:
                settle(execution, run)
                self.outbox.action(execution, run, "SUCCEEDED")

    def _fail(self, execution: Execution, run: ActionExecution, code: str, message: str) -> None:
        with self.lock:
            run.status, run.changed, run.error = "Failed", now(), (code, message)
            if execution.status_summary is None:
                execution.status_summary = f"{run.stage}/{run.action.name}: {message}"
            self.outbox.action(execution, run, "FAILED")

    def _leave(
        self, line: Line, execution: Execution, stage: Stage, status: str, following: Stage | None
    ) -> None:
        execution.stage_status[stage.name] = status
        line.state(stage).occupant = None
        self.outbox.stage(execution, stage.name, status.upper())
        if status != "Succeeded" or following is None:
            self._end(line, execution, status)
        else:
            execution.changed = now()
            self._wait_in_front(line, execution, following)
        self.changed.notify_all()

    def _end(self, line: Line, execution: Execution, status: str) -> None:
        for state in line.stages.values():
            state.waiting = [item for item in state.waiting if item is not execution]
        execution.waiting_for = None
        execution.status, execution.changed = status, now()
        self.outbox.pipeline(execution, status.upper())
        self.changed.notify_all()

    def _gone(self, line: Line) -> bool:
        return self.closed or line.deleted


def _succeeded(execution: Execution, stage: Stage, action: Action) -> bool:
    # Only a retry meets an action that has already succeeded.
    run = execution.latest(stage.name, action.name)
    return run is not None and run.status == "Succeeded" and run.id not in execution.rerun_ids
