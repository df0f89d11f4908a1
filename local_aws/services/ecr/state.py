"""The state that ECR's API, its registry and its CloudFormation type share."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from local_aws.core.api import AwsError, JsonService, now
from local_aws.core.context import Context
from local_aws.services.ecr import errors
from local_aws.services.ecr.blobs import BlobStore
from local_aws.services.ecr.lifecycle import DAY, expired_images, parse_policy
from local_aws.services.ecr.records import ImageRepository, Login, PlantedFinding, StoredImage


class EcrState(JsonService):
    """Repositories by name, their blobs, and the logins by password."""

    service = "ecr"
    persisted = ("repositories",)

    def __init__(
        self,
        context: Context,
        logins: dict[str, Login] | None = None,
        planted: Sequence[PlantedFinding] = (),
    ) -> None:
        super().__init__(context)
        self.repositories: dict[str, ImageRepository] = {}
        self.blobs = BlobStore(context.state / "ecr")
        self.logins = {} if logins is None else logins
        self.planted = planted
        # The sizes of an upload's parts so far.
        self.parts: dict[str, list[int]] = {}

    def repository(self, name: str) -> ImageRepository:
        """Return a repository; raises RepositoryNotFoundException."""
        if name not in self.repositories:
            raise errors.repository_not_found(name, self.context.account)
        return self.repositories[name]

    def digest_of(self, repository: ImageRepository, image_id: Mapping[str, str]) -> str:
        """Return the digest of an image; raises ImageNotFoundException."""
        digest = repository.find(image_id)
        if digest is None:
            raise errors.image_not_found(image_id, repository.name, self.context.account)
        return digest

    def login(self, password: str) -> Login | None:
        """Return the login of a password; None when the password is unknown or has expired."""
        found = self.logins.get(password)
        return found if found is not None and found.expires > time.time() else None

    def put_manifest(self, repository: ImageRepository, body: bytes, kind: str, tag: str | None) -> str:
        """Store a manifest whose layers and manifests exist and return its digest (under the lock)."""
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        is_index = self._check_manifest(repository, StoredImage(body, kind, now()))
        if not repository.put(digest, body, kind, tag):
            raise errors.tag_exists(str(tag), repository.name)
        image = repository.images[digest]
        on_push = repository.description["imageScanningConfiguration"]["scanOnPush"]
        # The images of an index were scanned when they were pushed.
        if on_push and not is_index and image.scan_started is None:
            image.scan_started = now()
        detail = {
            "result": "SUCCESS",
            "repository-name": repository.name,
            "image-digest": digest,
            "action-type": "PUSH",
            "image-tag": tag or "",
        }
        self.context.emit("aws.ecr", "ECR Image Action", [], detail)
        self.expire(repository)
        return digest

    def _check_manifest(self, repository: ImageRepository, given: StoredImage) -> bool:
        """Check that what a manifest refers to exists; return whether it is an index."""
        try:
            needed, listed = given.blobs(), given.manifests()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AwsError(
                "InvalidParameterException",
                "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
            ) from error
        if missing := [blob for blob in needed if not self.blobs.blob(repository.name, blob).exists()]:
            raise errors.layers_not_found(missing, repository.name, self.context.account)
        if missing := [one for one in listed if one not in repository.images]:
            raise errors.referenced_images_not_found(missing, repository.name, self.context.account)
        return bool(listed)

    def expire(self, repository: ImageRepository) -> None:
        """Delete the images that the lifecycle policy expires (under the lock).

        AWS does it within 24 hours; local_aws does it at each change of the repository, and scales days.
        """
        if repository.lifecycle_policy is None:
            return
        rules = parse_policy(repository.lifecycle_policy)
        day = timedelta(seconds=self.context.clock.seconds(DAY.total_seconds()))
        for digest in expired_images(rules, repository.images, now(), day):
            # https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
            if not repository.indexes_of(digest):
                del repository.images[digest]
