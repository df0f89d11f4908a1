"""The command of a buildspec that audits the dependencies of a commit, with nothing of the commit in it."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).parent
PROGRAM = FOLDER / "audit.py"
ADVISORIES = FOLDER / "advisories.json"
EXCEPTIONS = FOLDER / "exceptions.json"


def audit_command(*requirements: str) -> str:
    """Return the command that audits these requirements files; the program and its data are part of it.

    Python runs isolated: otherwise a module json.py at the top of the commit would be imported in place of
    Python's own.
    """
    data = "".join(
        f"cat > \"$audit/{path.name}\" <<'DATA' &&\n{json.dumps(json.loads(path.read_text('utf-8')))}\nDATA\n"
        for path in (ADVISORIES, EXCEPTIONS)
    )
    given = f'--advisories "$audit/{ADVISORIES.name}" --exceptions "$audit/{EXCEPTIONS.name}"'
    run = f"python -I - {given} {' '.join(requirements)} <<'PROGRAM'"
    program = PROGRAM.read_text("utf-8")
    return f'# Audit the dependencies\naudit="$(mktemp -d)" &&\n{data}{run}\n{program}PROGRAM\n'
