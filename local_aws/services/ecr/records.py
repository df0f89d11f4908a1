"""Images of ECR's repositories: manifests and tags in memory, blobs on disk by digest."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from local_aws.containers.images.store import file_digest
from local_aws.core.api import now

DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


@dataclass
class StoredImage:
    """A manifest that was pushed, with the tags that point to it."""

    manifest: bytes
    media_type: str
    pushed: datetime
    tags: set[str] = field(default_factory=set)

    def blobs(self) -> list[str]:
        """Return the digests that the manifest needs."""
        content = json.loads(self.manifest)
        return [content["config"]["digest"], *(layer["digest"] for layer in content["layers"])]

    def size(self) -> int:
        """Return the bytes of its layers, as `describe-images` counts."""
        return sum(int(layer["size"]) for layer in json.loads(self.manifest)["layers"])


@dataclass
class Repository:
    """A repository as `describe-repositories` shows it, and what is in it."""

    description: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    images: dict[str, StoredImage] = field(default_factory=dict)
    lifecycle_policy: str | None = None
    policy: str | None = None

    @property
    def name(self) -> str:
        """The repository's name."""
        return str(self.description["repositoryName"])

    def find(self, image_id: Mapping[str, str]) -> str | None:
        """Return the digest of an image by digest, tag, or both; None when there is none."""
        digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
        for known, image in self.images.items():
            if digest in (None, known) and (tag is None or tag in image.tags) and (digest or tag):
                return known
        return None

    def delete(self, image_id: Mapping[str, str]) -> list[dict[str, str]]:
        """Delete an image or one of its tags; return what is gone."""
        digest = self.find(image_id)
        if digest is None:
            return []
        image, tag = self.images[digest], image_id.get("imageTag")
        gone = {tag} if tag and "imageDigest" not in image_id else set(image.tags)
        image.tags -= gone
        if not image.tags:
            del self.images[digest]
        return [{"imageDigest": digest, "imageTag": one} for one in sorted(gone)] or [{"imageDigest": digest}]

    def put(self, digest: str, manifest: bytes, media_type: str, tag: str | None) -> bool:
        """Keep a manifest under a tag; False when the tag cannot move."""
        holder = self.find({"imageTag": tag}) if tag else None
        if holder not in (None, digest) and self.description["imageTagMutability"] == "IMMUTABLE":
            return False
        if tag and holder:
            self.images[holder].tags.discard(tag)
        image = self.images.setdefault(digest, StoredImage(manifest, media_type, now()))
        if tag:
            image.tags.add(tag)
        return True


class Images:
    """The blobs of all repositories, a folder each."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def blob(self, repository: str, digest: str) -> Path:
        """Return where a blob lies, or would lie."""
        return self._folder(repository) / digest.removeprefix("sha256:")

    def upload(self, repository: str, name: str) -> Path:
        """Return the file that an upload grows in."""
        return self._folder(repository) / f"upload-{name}"

    def finish(self, repository: str, name: str, digest: str) -> bool:
        """Make an upload a blob; False when it is not what `digest` says."""
        path = self.upload(repository, name)
        right = file_digest(path) == digest
        if right:
            path.replace(self.blob(repository, digest))
        else:
            path.unlink()
        return right

    def forget(self, repository: str) -> None:
        """Remove a repository's blobs."""
        shutil.rmtree(self._folder(repository), ignore_errors=True)

    def _folder(self, repository: str) -> Path:
        # A slash cannot be in a folder's name, a plus sign not in a repository's.
        folder = self.root / repository.replace("/", "+")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def describe(self, repository: Repository, digest: str, named: Mapping[str, Any]) -> dict[str, Any]:
        """Return an image as `describe-images` shows it."""
        image = repository.images[digest]
        detail = {
            **named,
            "imageDigest": digest,
            "imageSizeInBytes": image.size(),
            "imagePushedAt": image.pushed,
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": json.loads(image.manifest)["config"]["mediaType"],
        }
        return {**detail, "imageTags": sorted(image.tags)} if image.tags else detail
