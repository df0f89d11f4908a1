"""ECR's basic scanning: when an image is scanned, the states of a scan, and the findings that are planted."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError, now
from local_aws.core.clock import Clock
from local_aws.services.ecr import scanning
from local_aws.services.ecr.lifecycle import DAY
from local_aws.services.ecr.records import PlantedFinding
from local_aws.services.ecr.service import Ecr
from unit_tests.local_aws.services.ecr.registry_server import make_ecr

FINDING = {"name": "CVE-2026-0001", "severity": "CRITICAL", "package": "openssl", "version": "3.0.1"}
REPOSITORY = {"repositoryName": "images-dev"}
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


def make(state: Path, *, scan_on_push: bool = True, time_scale: float = 1e-6) -> Ecr:
    ecr = make_ecr(state)
    ecr.context.clock = Clock(time_scale)
    scanned = {"scanOnPush": scan_on_push}
    ecr.call("CreateRepository", {**REPOSITORY, "imageScanningConfiguration": scanned})
    return ecr


def push(ecr: Ecr) -> str:
    """Push an image without layers; return its digest."""
    config = ecr.blobs.blob("images-dev", f"sha256:{'a' * 64}")
    config.parent.mkdir(parents=True, exist_ok=True)
    config.touch()
    named = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 0}
    manifest = json.dumps({"config": {**named, "digest": f"sha256:{'a' * 64}"}, "layers": []})
    given = {**REPOSITORY, "imageManifest": manifest, "imageManifestMediaType": MANIFEST_TYPE}
    return str(ecr.call("PutImage", {**given, "imageTag": "v1"})["image"]["imageId"]["imageDigest"])


def findings(ecr: Ecr, digest: str) -> dict[str, Any]:
    answer: dict[str, Any] = ecr.call(
        "DescribeImageScanFindings", {**REPOSITORY, "imageId": {"imageDigest": digest}}
    )
    return answer


def test_a_push_starts_a_scan_that_is_complete_after_some_time(tmp_path: Path) -> None:
    ecr = make(tmp_path, time_scale=0.01)
    digest = push(ecr)
    assert findings(ecr, digest)["imageScanStatus"] == {"status": "IN_PROGRESS"}
    assert "imageScanFindings" not in findings(ecr, digest)
    time.sleep(0.01 * scanning.SCAN.total_seconds())
    answer = findings(ecr, digest)
    assert answer["imageScanStatus"]["status"] == "COMPLETE"
    assert answer["imageScanFindings"]["findings"] == []
    assert "local_aws scans no image" in answer["imageScanStatus"]["description"], "never a clean bill"


def test_a_scan_reports_what_was_planted_for_its_image_and_for_every_image(tmp_path: Path) -> None:
    ecr = make(tmp_path)
    digest = push(ecr)
    other = {**FINDING, "name": "CVE-2026-0002", "imageDigest": f"sha256:{'f' * 64}"}
    own = {**FINDING, "name": "CVE-2026-0003", "severity": "LOW", "imageDigest": digest}
    ecr.planted = [PlantedFinding.read(one) for one in (FINDING, other, own)]
    found = findings(ecr, digest)["imageScanFindings"]
    assert found["findingSeverityCounts"] == {"CRITICAL": 1, "LOW": 1}
    assert [one["name"] for one in found["findings"]] == ["CVE-2026-0001", "CVE-2026-0003"]
    assert found["findings"][0]["severity"] == "CRITICAL"
    assert found["findings"][0]["attributes"] == [
        {"key": "package_name", "value": "openssl"},
        {"key": "package_version", "value": "3.0.1"},
    ]
    (detail,) = ecr.call("DescribeImages", REPOSITORY)["imageDetails"]
    assert detail["imageScanStatus"]["status"] == "COMPLETE"
    assert detail["imageScanFindingsSummary"]["findingSeverityCounts"] == {"CRITICAL": 1, "LOW": 1}


def test_an_image_that_was_never_scanned_has_no_scan(tmp_path: Path) -> None:
    ecr = make(tmp_path, scan_on_push=False)
    digest = push(ecr)
    with pytest.raises(AwsError, match="ScanNotFoundException: Image scan does not exist"):
        findings(ecr, digest)
    (detail,) = ecr.call("DescribeImages", REPOSITORY)["imageDetails"]
    assert "imageScanStatus" not in detail


def test_an_image_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(AwsError, match="ImageNotFoundException"):
        findings(make(tmp_path), f"sha256:{'f' * 64}")


def test_an_image_is_scanned_once_in_24_hours_be_it_by_its_push(tmp_path: Path) -> None:
    ecr = make(tmp_path, time_scale=0.02)
    digest = push(ecr)
    image = {**REPOSITORY, "imageId": {"imageDigest": digest}}
    with pytest.raises(AwsError, match="LimitExceededException: The scan quota per image has been exceeded"):
        ecr.call("StartImageScan", image)
    stored = ecr.repositories["images-dev"].images[digest]
    stored.scan_started = now() - ecr._scaled(DAY)
    assert ecr.call("StartImageScan", image)["imageScanStatus"] == {"status": "IN_PROGRESS"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("CVE-2026-0001", "a finding has name, package, severity, version"),
        ({**FINDING, "digest": "x"}, "a finding has name, package, severity, version"),
        ({"name": "CVE-2026-0001"}, "a finding has name, package, severity, version"),
        ({**FINDING, "severity": "AWFUL"}, "severity is 'AWFUL'"),
        ({**FINDING, "version": ""}, "every value of a finding is text"),
        ({**FINDING, "imageDigest": "latest"}, "imageDigest is 'latest'"),
    ],
)
def test_a_finding_that_is_not_whole_is_not_planted(given: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PlantedFinding.read(given)
