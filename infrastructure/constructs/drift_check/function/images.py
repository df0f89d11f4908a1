"""What ECR's basic scanning finds in the images that are live, after their release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .finding import Finding, Findings

NOT_READ = "NONE"
# UNDEFINED is no severity: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanFinding.html
SEVERITIES = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")


@dataclass(frozen=True)
class Scans:
    """Which findings count: those that would stop a release of the image today."""

    repository_uri: str
    threshold: str
    exceptions: Mapping[str, str] = field(default_factory=dict)

    def new_findings(self, ecr: Any, ecs: Any, task_definition: str, today: date) -> Findings | None:
        """Return the findings of the last scans, and start the next ones, which the next run reads.

        Scanning on push alone never sees what was published after the release. Return None while a scan runs.
        """
        if self.threshold == NOT_READ:
            return {}
        found: Findings = {}
        for digest in self._digests(ecs, task_definition):
            last = self._last_scan(ecr, digest)
            if last is None:
                return None
            found |= {
                name: Finding(f"The live image {digest[:19]} has {name}, {severity}: release a fix.")
                for name, severity in last
                if self._counts(name, severity, today)
            }
            self._scan(ecr, digest)
        return found

    def _digests(self, ecs: Any, task_definition: str) -> Iterator[str]:
        prefix = f"{self.repository_uri}@"
        task = ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
        images = {container["image"] for container in task["containerDefinitions"]}
        # The image of the bootstrap server is not ours.
        yield from (image.removeprefix(prefix) for image in sorted(images) if image.startswith(prefix))

    def _last_scan(self, ecr: Any, digest: str) -> list[tuple[str, str]] | None:
        """Return name and severity of each finding; of an image that was never scanned, there are none."""
        pages = ecr.get_paginator("describe_image_scan_findings").paginate(
            repositoryName=self._repository, imageId={"imageDigest": digest}
        )
        found: list[tuple[str, str]] = []
        try:
            for page in pages:
                status = page["imageScanStatus"]["status"]
                if status in ("IN_PROGRESS", "PENDING"):
                    return None
                if status != "COMPLETE":
                    found.append((f"a scan with the status {status}", SEVERITIES[-1]))
                given = page.get("imageScanFindings", {}).get("findings", ())
                found += [(one["name"], one.get("severity", "UNDEFINED")) for one in given]
        except ecr.exceptions.ScanNotFoundException:
            return []
        return found

    def _counts(self, name: str, severity: str, today: date) -> bool:
        relevant = SEVERITIES[SEVERITIES.index(self.threshold) :]
        return severity in relevant and self.exceptions.get(name, "") < today.isoformat()

    def _scan(self, ecr: Any, digest: str) -> None:
        """Start a scan: ECR allows one a day, for which it asks nothing.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-basic.html
        """
        try:
            ecr.start_image_scan(repositoryName=self._repository, imageId={"imageDigest": digest})
        except ecr.exceptions.LimitExceededException:
            print(f"{digest} has been scanned today")

    @property
    def _repository(self) -> str:
        return self.repository_uri.partition("/")[2]
