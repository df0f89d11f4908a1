"""The table of faults: for each, what users saw, what the pipeline said, who was told, and what was left."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "faults.json"
COLUMNS = ("fault", "requests", "failed", "pipeline", "reason", "told", "left")


@dataclass(frozen=True)
class Fault:
    """One fault's figures: `statuses` counts answers by status, 0 for none; it took `seconds`."""

    fault: str
    seconds: float
    requests: int
    failed: int
    statuses: dict[int, int]
    versions: dict[str, int]
    pipeline: str
    reason: str
    told: list[str]
    left: str


def write(folder: Path, faults: list[Fault]) -> Path:
    """Write the faults as JSON into `folder`; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    path.write_text(json.dumps([asdict(fault) for fault in faults], indent=1) + "\n")
    return path


def read(root: Path, since: str = "") -> list[Fault]:
    """Return the faults that the runs below `root` wrote, the newest of each.

    The folders' names begin with the moment when their run did: those before `since` are left out.
    """
    newest: dict[str, Fault] = {}
    for path in sorted(root.glob(f"*/{FILE}")):
        if path.parent.name < since:
            continue
        newest |= {one["fault"]: Fault(**one) for one in json.loads(path.read_text())}
    return list(newest.values())


def table(faults: list[Fault]) -> str:
    """Return the faults as a table in Markdown."""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *(_row(fault) for fault in faults)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(fault: Fault) -> tuple[str, ...]:
    told = ", ".join(kinds(fault.told)) or "nobody"
    cells = (fault.fault, fault.requests, fault.failed, fault.pipeline, fault.reason, told, fault.left)
    return tuple(" ".join(str(cell).split()).replace("|", "/") for cell in cells)


def kinds(told: list[str]) -> list[str]:
    """Return what each message is about: pipeline, stage, build, deployment, or an alarm by its name."""
    return [_kind(message) for message in told]


def _kind(message: str) -> str:
    if message.startswith("{"):
        return f"alarm {json.loads(message)['AlarmName']}"
    return message.strip('"').split()[0].lower()
