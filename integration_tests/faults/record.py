"""The table of faults: what clients saw, what the pipeline reported, the notifications, the final state."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "faults.json"
COLUMNS = ("fault", "requests", "failed", "pipeline", "reason", "notifications", "outcome")


@dataclass(frozen=True)
class Fault:
    """One fault's figures: `statuses` counts responses by status (0: no response); it took `seconds`."""

    fault: str
    seconds: float
    requests: int
    failed: int
    statuses: dict[int, int]
    versions: dict[str, int]
    pipeline: str
    reason: str
    notifications: list[str]
    outcome: str


def write(folder: Path, faults: list[Fault]) -> Path:
    """Write the faults as JSON into `folder`; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    path.write_text(json.dumps([asdict(fault) for fault in faults], indent=1) + "\n")
    return path


def read(root: Path, since: str = "") -> list[Fault]:
    """Return the faults that the runs below `root` recorded, the newest of each name.

    A run's folder is named after its start time: folders before `since` are left out.
    """
    newest: dict[str, Fault] = {}
    for path in sorted(root.glob(f"*/{FILE}")):
        if path.parent.name < since:
            continue
        newest |= {one["fault"]: Fault(**one) for one in json.loads(path.read_text())}
    return list(newest.values())


def table(faults: list[Fault]) -> str:
    """Return the faults as a Markdown table."""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *(_row(fault) for fault in faults)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(fault: Fault) -> tuple[str, ...]:
    notified = ", ".join(_subject(message) for message in fault.notifications) or "none"
    cells = (
        fault.fault,
        fault.requests,
        fault.failed,
        fault.pipeline,
        fault.reason,
        notified,
        fault.outcome,
    )
    return tuple(" ".join(str(cell).split()).replace("|", "/") for cell in cells)


def _subject(message: str) -> str:
    """Return what a message is about: pipeline, stage, build, deployment, or an alarm by its name."""
    if message.startswith("{"):
        return f"alarm {json.loads(message)['AlarmName']}"
    return message.strip('"').split()[0].lower()
