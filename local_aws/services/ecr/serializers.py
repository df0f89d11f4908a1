"""ECR's records in the API's shape."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NotRequired, TypedDict

from local_aws.services.ecr.records import DIGEST, ImageRepository, PlantedFinding


class RepositoryName(TypedDict):
    """What most responses begin with."""

    registryId: str
    repositoryName: str


class ImageDetail(RepositoryName):
    """ImageDetail."""

    imageDigest: str
    imageTags: NotRequired[list[str]]
    imageSizeInBytes: int
    imagePushedAt: datetime
    imageManifestMediaType: str
    artifactMediaType: NotRequired[str]


class EcrImage(RepositoryName):
    """Image."""

    imageId: dict[str, str]
    imageManifest: str
    imageManifestMediaType: str


class ImageFailure(TypedDict):
    """ImageFailure."""

    imageId: dict[str, str]
    failureCode: str
    failureReason: str


class ImageScanStatus(TypedDict):
    """ImageScanStatus."""

    status: str
    description: NotRequired[str]


class ImageScanFindingsSummary(TypedDict):
    """ImageScanFindingsSummary."""

    imageScanCompletedAt: datetime
    vulnerabilitySourceUpdatedAt: datetime
    findingSeverityCounts: dict[str, int]


class Attribute(TypedDict):
    """Attribute."""

    key: str
    value: str


class ImageScanFinding(TypedDict):
    """ImageScanFinding."""

    name: str
    severity: str
    attributes: list[Attribute]


def scan_summary(ended: datetime, findings: Sequence[PlantedFinding]) -> ImageScanFindingsSummary:
    """Return the summary of a scan that has ended."""
    return {
        "imageScanCompletedAt": ended,
        "vulnerabilitySourceUpdatedAt": ended,
        "findingSeverityCounts": dict(Counter(one.severity for one in findings)),
    }


def scan_finding(finding: PlantedFinding) -> ImageScanFinding:
    """Return a finding as DescribeImageScanFindings shows it."""
    package = {"package_name": finding.package, "package_version": finding.version}
    return {
        "name": finding.name,
        "severity": finding.severity,
        "attributes": [{"key": key, "value": value} for key, value in package.items()],
    }


def image_detail(repository: ImageRepository, digest: str) -> ImageDetail:
    """Return an image as DescribeImages shows it."""
    image = repository.images[digest]
    detail: ImageDetail = {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "imageDigest": digest,
        "imageSizeInBytes": repository.size(digest),
        "imagePushedAt": image.pushed,
        "imageManifestMediaType": image.media_type,
    }
    if not image.manifests():
        detail["artifactMediaType"] = json.loads(image.manifest)["config"]["mediaType"]
    if image.tags:
        detail["imageTags"] = sorted(image.tags)
    return detail


def image_manifest(repository: ImageRepository, digest: str, image_id: Mapping[str, str]) -> EcrImage:
    """Return an image as BatchGetImage shows it."""
    image = repository.images[digest]
    return {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "imageId": {**image_id, "imageDigest": digest},
        "imageManifest": image.manifest.decode(),
        "imageManifestMediaType": image.media_type,
    }


def is_malformed(image_id: Mapping[str, str]) -> bool:
    """Return whether an id names no image: it has neither digest nor tag, or no digest of SHA-256."""
    digest = image_id.get("imageDigest")
    return not DIGEST.match(digest) if digest is not None else "imageTag" not in image_id


def image_failure(image_id: Mapping[str, str]) -> ImageFailure:
    """Return the failure of an image that does not exist, or whose id is malformed.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html
    """
    code, reason = "ImageNotFound", "Requested image not found"
    if is_malformed(image_id):
        code = "InvalidImageDigest" if "imageDigest" in image_id else "MissingDigestAndTag"
        reason = "Invalid request parameters: both tag and digest cannot be null"
        if "imageDigest" in image_id:
            reason = "Invalid request parameters: image digest should satisfy the regex"
            reason += " '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
    return {"imageId": dict(image_id), "failureCode": code, "failureReason": reason}


def kept_by_index(image_id: Mapping[str, str], indexes: Sequence[str]) -> ImageFailure:
    """Return the failure of an image that an index refers to."""
    reason = f"Requested image referenced by manifest list: [{', '.join(indexes)}]"
    return {
        "imageId": dict(image_id),
        "failureCode": "ImageReferencedByManifestList",
        "failureReason": reason,
    }


def image_ids(repository: ImageRepository, tag_status: str) -> list[dict[str, str]]:
    """Return the ids of a repository's images, one for each tag; `tag_status` as in ListImages' filter."""
    found = []
    for digest, image in repository.images.items():
        if image.tags and tag_status != "UNTAGGED":
            found += [{"imageDigest": digest, "imageTag": tag} for tag in sorted(image.tags)]
        elif not image.tags and tag_status != "TAGGED":
            found.append({"imageDigest": digest})
    return found
