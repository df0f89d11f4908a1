"""ECR's API of images: their manifests and their tags."""

import hashlib
from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.ecr import errors
from local_aws.services.ecr.scanning import ScanApi
from local_aws.services.ecr.serializers import (
    image_detail,
    image_failure,
    image_ids,
    image_manifest,
    is_malformed,
    kept_by_index,
)

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class ImageApi(ScanApi):
    """The operations on images."""

    def list_images(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """List the images, once for each tag."""
        tag_status = params.get("filter", {}).get("tagStatus", "ANY")
        return {"imageIds": image_ids(self.repository(params["repositoryName"]), tag_status)}

    def describe_images(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Describe all images, or those that are named; raises ImageNotFoundException."""
        repository = self.repository(params["repositoryName"])
        wanted = params.get("imageIds")
        if wanted is None:
            status = params.get("filter", {}).get("tagStatus", "ANY")
            digests = [each["imageDigest"] for each in image_ids(repository, status)]
            digests = list(dict.fromkeys(digests))
        else:
            digests = [self.digest_of(repository, image_id) for image_id in wanted]
        details = [
            {**image_detail(repository, digest), **self.scan_detail(repository, digest)} for digest in digests
        ]
        return {"imageDetails": details}

    def batch_get_image(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return manifests; images that do not exist are among the failures."""
        repository = self.repository(params["repositoryName"])
        found, failures = [], []
        for image_id in params["imageIds"]:
            digest = None if is_malformed(image_id) else repository.find(image_id)
            if digest is None:
                failures.append(image_failure(image_id))
            else:
                found.append(image_manifest(repository, digest, image_id))
        return {"images": found, "failures": failures}

    def put_image(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Store a manifest, or add a tag to one that exists."""
        repository, tag = self.repository(params["repositoryName"]), params.get("imageTag")
        body = params["imageManifest"].encode()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if params.get("imageDigest", digest) != digest:
            raise AwsError(
                "ImageDigestDoesNotMatchException",
                f"The image digest {params['imageDigest']} does not match the manifest's, {digest}",
            )
        image_id = {"imageDigest": digest} | ({"imageTag": tag} if tag else {})
        if repository.find(image_id) is not None:
            raise errors.image_exists(digest, tag, repository.name, self.context.account)
        kind = params.get("imageManifestMediaType", _MANIFEST)
        self.put_manifest(repository, body, kind, tag)
        stored = {"imageManifest": params["imageManifest"], "imageManifestMediaType": kind}
        named = {"registryId": self.context.account, "repositoryName": repository.name}
        return {"image": {**named, "imageId": image_id, **stored}}

    def batch_delete_image(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Delete images by digest, or tags: an image is deleted with its last tag."""
        repository = self.repository(params["repositoryName"])
        deleted: list[dict[str, str]] = []
        failures = []
        for image_id in params["imageIds"]:
            if indexes := repository.keeper(image_id):
                failures.append(kept_by_index(image_id, indexes))
                continue
            ids = [] if is_malformed(image_id) else repository.delete(image_id)
            deleted += ids
            if not ids:
                failures.append(image_failure(image_id))
        self.expire(repository)
        return {"imageIds": deleted, "failures": failures}
