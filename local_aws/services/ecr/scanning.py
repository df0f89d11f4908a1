"""ECR's basic image scanning: the states of a scan. Nothing is scanned: its findings are planted.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-basic.html
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from local_aws.core.api import now
from local_aws.services.ecr import errors
from local_aws.services.ecr.lifecycle import DAY
from local_aws.services.ecr.records import ImageRepository, PlantedFinding
from local_aws.services.ecr.serializers import ImageScanStatus, scan_finding, scan_summary
from local_aws.services.ecr.state import EcrState

# From a push to the result, on AWS's clock; AWS documents no time.
SCAN = timedelta(seconds=30)
# What a client sees, so that no result passes for that of a scanner.
NOT_SCANNED = "local_aws scans no image: it reports what POST /_local_aws/image-scan-findings planted"


class ScanApi(EcrState):
    """The operations on scans."""

    def start_image_scan(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Start a scan, unless one was started within 24 hours, be it by the push.

        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StartImageScan.html
        """
        repository = self.repository(params["repositoryName"])
        digest = self.digest_of(repository, params["imageId"])
        image = repository.images[digest]
        if image.manifests():
            raise errors.unsupported_image_type(digest, repository.name, self.context.account)
        if image.scan_started is not None and now() - image.scan_started < self._scaled(DAY):
            raise errors.scan_limit_exceeded()
        image.scan_started = now()
        return {**self._scanned(params, digest), "imageScanStatus": {"status": "IN_PROGRESS"}}

    def describe_image_scan_findings(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state of an image's scan, and once it is complete, what was planted for it."""
        repository = self.repository(params["repositoryName"])
        digest = self.digest_of(repository, params["imageId"])
        detail = self.scan_detail(repository, digest)
        if not detail:
            raise errors.scan_not_found(digest, repository.name, self.context.account)
        answer = {**self._scanned(params, digest), "imageScanStatus": detail["imageScanStatus"]}
        if "imageScanFindingsSummary" in detail:
            findings = [scan_finding(one) for one in self._findings_of(digest)]
            answer["imageScanFindings"] = {**detail["imageScanFindingsSummary"], "findings": findings}
        return answer

    def scan_detail(self, repository: ImageRepository, digest: str) -> dict[str, Any]:
        """Return what DescribeImages says of an image's last scan: nothing if it was never scanned."""
        started = repository.images[digest].scan_started
        if started is None:
            return {}
        ended = started + self._scaled(SCAN)
        if now() < ended:
            return {"imageScanStatus": ImageScanStatus(status="IN_PROGRESS")}
        return {
            "imageScanStatus": ImageScanStatus(status="COMPLETE", description=NOT_SCANNED),
            "imageScanFindingsSummary": scan_summary(ended, self._findings_of(digest)),
        }

    def _scaled(self, time: timedelta) -> timedelta:
        return timedelta(seconds=self.context.clock.seconds(time.total_seconds()))

    def _findings_of(self, digest: str) -> list[PlantedFinding]:
        return [one for one in self.planted if one.digest in (None, digest)]

    def _scanned(self, params: Mapping[str, Any], digest: str) -> dict[str, Any]:
        named = {"registryId": self.context.account, "repositoryName": params["repositoryName"]}
        return {**named, "imageId": {**params["imageId"], "imageDigest": digest}}
