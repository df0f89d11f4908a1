"""Read what ECR's basic scanning found in the image of a release.

The settings imageScanThreshold and imageScanExceptions decide which findings stop it: docs/configuration.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

# A scan starts with the push, minutes before the hook runs.
SECONDS_BETWEEN_LOOKS = 5.0
LONGEST_WAIT = 60.0
NOT_READ = "NONE"
# UNDEFINED is no severity: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanFinding.html
SEVERITIES = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_PENDING = ("IN_PROGRESS", "PENDING", "no scan")
# A reason is one line of the log.
_MOST_NAMED = 20


class ScanError(Exception):
    """The image must not receive traffic; the message says which findings it has, or why that is unknown."""


@dataclass(frozen=True)
class Finding:
    """A vulnerability of a package in the image."""

    name: str
    severity: str
    package: str

    def __str__(self) -> str:
        return f"{self.name}, {self.severity}, {self.package}"


@dataclass(frozen=True)
class Gate:
    """Which findings stop a release: those of `threshold` and above, without an exception that still counts.

    `exceptions` has the last day of each exception, by the name of the finding.
    """

    repository: str
    threshold: str
    exceptions: Mapping[str, str] = field(default_factory=dict)

    def check(self, ecr: Any, digest: str, today: date, seconds_left: Callable[[], float]) -> dict[str, Any]:
        """Return what the scan says, for the log. Raises ScanError for a finding that stops the release.

        It fails too if the scan is not complete, or cannot be: an image that nothing looked at is not known
        to be safe.
        """
        if self.threshold == NOT_READ:
            return {"threshold": NOT_READ, "status": "not read"}
        status, findings = self._wait(ecr, digest, seconds_left)
        relevant = [one for one in findings if self._is_relevant(one)]
        stopping = [one for one in relevant if self.exceptions.get(one.name, "") < today.isoformat()]
        if stopping:
            raise ScanError(self._reason(stopping))
        excepted = {str(one): f"excepted until {self.exceptions[one.name]}" for one in relevant}
        return {"threshold": self.threshold, **status, "findings": len(findings), "excepted": excepted}

    def _is_relevant(self, finding: Finding) -> bool:
        return finding.severity in SEVERITIES[SEVERITIES.index(self.threshold) :]

    def _reason(self, stopping: list[Finding]) -> str:
        named = [self._named(one) for one in stopping[:_MOST_NAMED]]
        if len(stopping) > len(named):
            named.append(f"and {len(stopping) - len(named)} more")
        return (
            f"the scan of the image found {'; '.join(named)}: release an image without findings of "
            f"{self.threshold} or above, or add dated exceptions to imageScanExceptions in cdk.json"
        )

    def _named(self, finding: Finding) -> str:
        until = self.exceptions.get(finding.name)
        return f"{finding} (its exception expired on {until})" if until else str(finding)

    def _wait(
        self, ecr: Any, digest: str, seconds_left: Callable[[], float]
    ) -> tuple[dict[str, str], list[Finding]]:
        """Return the status and the findings of a complete scan."""
        latest = seconds_left() - LONGEST_WAIT
        while True:
            status, findings = self._look(ecr, digest)
            if status["status"] == "COMPLETE":
                return status, findings
            is_late = seconds_left() < max(latest, 0) + SECONDS_BETWEEN_LOOKS
            if is_late or status["status"] not in _PENDING:
                raise ScanError(self._unknown(digest, status))
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _look(self, ecr: Any, digest: str) -> tuple[dict[str, str], list[Finding]]:
        pages = ecr.get_paginator("describe_image_scan_findings").paginate(
            repositoryName=self.repository, imageId={"imageDigest": digest}
        )
        status: dict[str, str] = {}
        findings: list[Finding] = []
        try:
            for page in pages:
                status = page["imageScanStatus"]
                findings += _findings(page.get("imageScanFindings", {}).get("findings", ()))
        except ecr.exceptions.ScanNotFoundException:
            return {"status": "no scan"}, []
        return status, findings

    def _unknown(self, digest: str, status: Mapping[str, str]) -> str:
        described = f" ({status['description']})" if status.get("description") else ""
        return (
            f"the findings of {digest} in {self.repository} are unknown, because the status of its scan is "
            f"{status['status']}{described}: docs/operations.md says what to do"
        )


def _findings(given: Iterable[Mapping[str, Any]]) -> list[Finding]:
    return [Finding(one["name"], one.get("severity", "UNDEFINED"), _package(one)) for one in given]


def _package(finding: Mapping[str, Any]) -> str:
    attributes = {one["key"]: one.get("value", "") for one in finding.get("attributes", ())}
    named = (attributes.get("package_name", "unknown package"), attributes.get("package_version", ""))
    return " ".join(filter(None, named))
