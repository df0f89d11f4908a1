"""The context keys that say which findings of an image scan stop a release."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from infrastructure.config.context_key import context_key, one_of

THRESHOLDS = ("CRITICAL", "HIGH", "MEDIUM", "NONE")
# The variables of a function have 4 KB together.
MOST_EXCEPTIONS = 50
# CVE-2026-12345, GHSA-xxxx-xxxx-xxxx, ALAS2-2026-123, TEMP-0290435-0B57B5
_FINDING = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{2,39}")
EXAMPLE = '[{"finding": "CVE-2026-12345", "until": "2026-12-31", "reason": "the service reads no XML"}]'


@dataclass(frozen=True)
class ScanException:
    """A finding that does not stop a release up to a day (YYYY-MM-DD, that day included), and why."""

    finding: str
    until: str
    reason: str

    def __str__(self) -> str:
        return f"{self.finding} until {self.until}"


def threshold_key() -> Any:
    """Return the field of the threshold."""
    return context_key(
        "CRITICAL, HIGH or MEDIUM: a finding of this severity or above in the image stops a release; "
        "or NONE: nobody reads what the scan found",
        "HIGH",
        one_of(THRESHOLDS),
        default=THRESHOLDS[0],
    )


def exceptions_key() -> Any:
    """Return the field of the exceptions."""
    return context_key(
        f"a list, or its JSON, of 1 to {MOST_EXCEPTIONS} exceptions for different findings, each with the "
        "name of the finding, the last day (YYYY-MM-DD) on which it stops no release, and the reason: "
        '{"finding": NAME, "until": DATE, "reason": TEXT} (leave it out for none)',
        EXAMPLE,
        read_exceptions,
        default=(),
    )


def read_exceptions(value: object) -> tuple[ScanException, ...]:
    """Accept the list of cdk.json, or its JSON from the command line.

    An exception that has expired is accepted: the test-traffic hook says that it has.
    """
    given = json.loads(value) if isinstance(value, str) else value
    if not isinstance(given, list):
        raise ValueError
    exceptions = tuple(_exception(each) for each in given)
    if not 1 <= len({each.finding for each in exceptions}) == len(exceptions) <= MOST_EXCEPTIONS:
        raise ValueError
    return exceptions


def _exception(given: object) -> ScanException:
    if not isinstance(given, dict) or set(given) != {"finding", "until", "reason"}:
        raise ValueError
    if not all(isinstance(value, str) and value.strip() for value in given.values()):
        raise ValueError
    # In one form only, because the hook compares dates as text; Python reads 20261231 too.
    if (
        not _FINDING.fullmatch(given["finding"])
        or date.fromisoformat(given["until"]).isoformat() != given["until"]
    ):
        raise ValueError
    return ScanException(**given)
