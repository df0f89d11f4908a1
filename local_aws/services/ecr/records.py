"""ECR's repositories with their images: manifests and tags."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_aws.core.api import now

DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanFinding.html
SEVERITIES = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "UNDEFINED")


@dataclass
class StoredImage:
    """A manifest of an image, or of an index of such manifests, with the tags that point to it."""

    manifest: bytes
    media_type: str
    pushed: datetime
    tags: set[str] = field(default_factory=set)
    scan_started: datetime | None = None

    def blobs(self) -> list[str]:
        """Return the digests of the blobs that the manifest refers to."""
        content = json.loads(self.manifest)
        if "manifests" in content:
            return []
        return [content["config"]["digest"], *(layer["digest"] for layer in content["layers"])]

    def manifests(self) -> list[str]:
        """Return the digests of the manifests that an OCI index or a manifest list refers to."""
        return [each["digest"] for each in json.loads(self.manifest).get("manifests", [])]


@dataclass(frozen=True)
class Login:
    """What a password of the registry stands for: the access key that requested it, and when it expires."""

    access_key: str
    expires: float


@dataclass(frozen=True)
class PlantedFinding:
    """What the scan of an image reports, or the scan of every image if it names no digest."""

    name: str
    severity: str
    package: str
    version: str
    digest: str | None = None

    @classmethod
    def read(cls, given: object) -> "PlantedFinding":
        """Read `{"name": ..., "severity": ..., "package": ..., "version": ...}`; raise ValueError."""
        needed = {"name", "severity", "package", "version"}
        if not isinstance(given, dict) or not needed <= set(given) <= {*needed, "imageDigest"}:
            raise ValueError(f"a finding has {', '.join(sorted(needed))}, and perhaps imageDigest")
        if not all(isinstance(value, str) and value for value in given.values()):
            raise ValueError("every value of a finding is text")
        if given["severity"] not in SEVERITIES:
            raise ValueError(f"severity is {given['severity']!r}: it must be one of {', '.join(SEVERITIES)}")
        digest = given.get("imageDigest")
        if digest is not None and not DIGEST.match(digest):
            raise ValueError(f"imageDigest is {digest!r}: it must be sha256: and 64 hexadecimal digits")
        return cls(**{name: given[name] for name in needed}, digest=digest)


@dataclass
class ImageRepository:
    """A repository: its description as DescribeRepositories returns it, its images and its policies."""

    description: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    images: dict[str, StoredImage] = field(default_factory=dict)
    lifecycle_policy: str | None = None
    policy: str | None = None

    @property
    def name(self) -> str:
        """The repository's name."""
        return str(self.description["repositoryName"])

    @property
    def registry_id(self) -> str:
        """The account whose registry this is."""
        return str(self.description["registryId"])

    def find(self, image_id: Mapping[str, str]) -> str | None:
        """Return the digest of the image with a digest, a tag, or both; None when there is none."""
        digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
        for known, image in self.images.items():
            if digest in (None, known) and (tag is None or tag in image.tags) and (digest or tag):
                return known
        return None

    def size(self, digest: str) -> int:
        """Return the size of an image's layers in bytes, of an index that of its largest image.

        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html
        """
        image = self.images[digest]
        if listed := image.manifests():
            return max(self.size(each) for each in listed)
        return sum(int(layer.get("size", 0)) for layer in json.loads(image.manifest).get("layers", []))

    def indexes_of(self, digest: str) -> list[str]:
        """Return the digests of the indexes that refer to a manifest."""
        return [index for index, image in self.images.items() if digest in image.manifests()]

    def keeper(self, image_id: Mapping[str, str]) -> list[str]:
        """Return the indexes because of which an image, or the last of its tags, cannot be deleted.

        https://github.com/aws/containers-roadmap/issues/1567
        """
        digest = self.find(image_id)
        if digest is None:
            return []
        others = self.images[digest].tags - {image_id.get("imageTag")}
        return [] if others and "imageDigest" not in image_id else self.indexes_of(digest)

    def is_immutable(self, tag: str) -> bool:
        """Return whether a tag cannot be overwritten: a filter excludes tags from the repository's setting.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
        """
        setting = self.description["imageTagMutability"]
        filters = self.description.get("imageTagMutabilityExclusionFilters", [])
        patterns = [".*".join(map(re.escape, each["filter"].split("*"))) for each in filters]
        excluded = any(re.fullmatch(pattern, tag) for pattern in patterns)
        return bool(setting.startswith("IMMUTABLE") != excluded)

    def delete(self, image_id: Mapping[str, str]) -> list[dict[str, str]]:
        """Delete an image or one of its tags; return the ids of what was deleted."""
        digest = self.find(image_id)
        if digest is None:
            return []
        image, tag = self.images[digest], image_id.get("imageTag")
        deleted = {tag} if tag and "imageDigest" not in image_id else set(image.tags)
        image.tags -= deleted
        if not image.tags:
            del self.images[digest]
        tagged = [{"imageDigest": digest, "imageTag": tag} for tag in sorted(deleted)]
        return tagged or [{"imageDigest": digest}]

    def put(self, digest: str, manifest: bytes, media_type: str, tag: str | None) -> bool:
        """Store a manifest under a tag; return False when the tag is immutable and exists.

        An immutable tag is refused for the image that it already points to, too:
        https://github.com/aws/containers-roadmap/issues/2179
        """
        holder = self.find({"imageTag": tag}) if tag else None
        if tag and holder and self.is_immutable(tag):
            return False
        if tag and holder:
            self.images[holder].tags.discard(tag)
        image = self.images.setdefault(digest, StoredImage(manifest, media_type, now()))
        if tag:
            image.tags.add(tag)
        return True
