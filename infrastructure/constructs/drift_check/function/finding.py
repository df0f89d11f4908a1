"""What a check found, and how two runs compare."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

# Of one check. With the rest in one more, what a run remembers fits into the 4 KB of a parameter:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
MOST = 6
REST = "further findings"


@dataclass(frozen=True)
class Finding:
    """What a person reads, and what makes the finding another one although the text stays the same."""

    text: str
    state: str = ""

    @property
    def fingerprint(self) -> str:
        """The same as long as the finding is."""
        return hashlib.sha256(f"{self.text}\n{self.state}".encode()).hexdigest()[:8]


# By the subject, which names the finding once it is gone.
Findings = dict[str, Finding]
# Of each check, the fingerprints of what was told, by subject.
Told = Mapping[str, Mapping[str, str]]


def limited(findings: Findings) -> Findings:
    """Return at most `MOST` findings, and one with the rest."""
    ordered = sorted(findings.items())
    first, rest = dict(ordered[:MOST]), [each for _, each in ordered[MOST:]]
    if not rest:
        return first
    text = f"{len(rest)} more: " + "; ".join(each.text for each in rest)
    return {**first, REST: Finding(text, "".join(each.fingerprint for each in rest))}


def changes(told: Told, found: Mapping[str, Findings]) -> dict[str, list[str]]:
    """Return the lines about what is new, changed or gone; nothing for a quiet day."""
    result: dict[str, list[str]] = {"new": [], "changed": [], "gone": []}
    for check, findings in found.items():
        before = told.get(check, {})
        for subject, finding in findings.items():
            if before.get(subject) != finding.fingerprint:
                result["changed" if subject in before else "new"].append(finding.text)
        result["gone"] += [f"{check}: {subject}" for subject in before if subject not in findings]
    return {kind: lines for kind, lines in result.items() if lines}


def remembered(told: Told, found: Mapping[str, Findings]) -> dict[str, dict[str, str]]:
    """Return what has been told now; of a check that could not look, what was told before."""
    now = {check: {key: one.fingerprint for key, one in each.items()} for check, each in found.items()}
    merged = {**{check: dict(each) for check, each in told.items()}, **now}
    return {check: each for check, each in merged.items() if each}
