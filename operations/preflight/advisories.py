"""Check that the audit of Build, which is offline, knows what was published lately."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from operations.preflight.check import Check, Subject, ok, warning

# Beside cdk.json: a deployment gives it to the project of the tests.
DATABASE = Path("infrastructure", "constructs", "dependency_audit", "advisories.json")
# As the audit itself has it: a unit test compares.
FRESH_DAYS = 30


def advisories(subject: Subject) -> Iterator[Check]:
    """Check the age of the database of advisories, if this is a checkout that has one."""
    path = subject.cdk_json.parent / DATABASE
    if not path.exists():
        return
    updated = json.loads(path.read_text("utf-8"))["updated"]
    age = (datetime.now(UTC).date() - date.fromisoformat(updated)).days
    if age > FRESH_DAYS:
        found = f"of {updated}, {age} days old: Build finds no vulnerability that was published later"
        yield warning("advisories", found, "run make advisories, commit, and deploy")
    else:
        yield ok("advisories", f"of {updated}")
