"""A history of releases, and DORA's four keys of it, computed by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def event(minutes: float, execution: str, **detail: Any) -> dict[str, Any]:
    """Return an event of CodePipeline, as EventBridge delivers it."""
    told = {name.replace("_", "-"): value for name, value in detail.items()}
    kind = "Action" if "action" in told else "Stage" if "stage" in told else "Pipeline"
    return {
        "source": "aws.codepipeline",
        "detail-type": f"CodePipeline {kind} Execution State Change",
        "time": f"{at(minutes):%Y-%m-%dT%H:%M:%SZ}",
        "detail": {"execution-id": execution, **told},
    }


def run(
    began: float, execution: str, ended: float, state: str = "SUCCEEDED", *, is_rollback: bool = False
) -> list[dict[str, Any]]:
    """Return the events of an execution, whose commit is named like it."""
    trigger = {"trigger-type": "ManualRollback" if is_rollback else "CloudWatchEvent"}
    events = [event(began, execution, state="STARTED", execution_trigger=trigger)]
    if not is_rollback:
        result = {"external-execution-id": f"commit-{execution}"}
        events += [
            event(began, execution, stage="Source", state="SUCCEEDED"),
            event(
                began, execution, stage="Source", action="Source", state="SUCCEEDED", execution_result=result
            ),
        ]
    return [
        *events,
        event(ended - 1, execution, stage="Deploy", state="STARTED"),
        event(ended, execution, stage="Deploy", action="Deploy", state=state),
        event(ended, execution, stage="Deploy", state=state),
    ]


# By hand:
# a  written 09:00, live 09:10                                lead 10 min
# b  written 09:20, live 09:50, undone by the rollback r      lead 30 min, failed, restored after 15 min
# c  written 10:30, failed in Deploy at 10:50                 failed, restored after 25 min (d, 11:15)
# d  written 11:00, live 11:15                                lead 15 min
# e  failed in Build: no change reached Deploy
# Four changes, three releases, two failures; medians: lead 15 min, restored 20 min.
HISTORY = [
    *run(1, "a", 10),
    *run(21, "b", 50),
    *run(60, "r", 65, is_rollback=True),
    *run(91, "c", 110, "FAILED"),
    *run(121, "d", 135),
    event(140, "e", state="STARTED", execution_trigger={"trigger-type": "CloudWatchEvent"}),
    event(145, "e", stage="Build", state="FAILED"),
]
