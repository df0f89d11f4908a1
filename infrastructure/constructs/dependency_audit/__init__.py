"""The audit of a commit's dependencies: a program, its database and its exceptions, all of the platform.

A buildspec runs it with `python -I`: otherwise a module json.py at the top of the commit would be imported in
place of Python's own.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent
PROGRAM, ADVISORIES, EXCEPTIONS = (
    _FOLDER / name for name in ("audit.py", "advisories.json", "exceptions.json")
)
