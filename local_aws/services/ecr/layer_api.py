"""ECR's API of layers, with which a client copies an image without Docker.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html
"""

import secrets
import time
import uuid
from collections.abc import Mapping
from typing import Any

from local_aws.core.api import CALLER, AwsError
from local_aws.services.ecr import errors
from local_aws.services.ecr.records import ImageRepository, Login
from local_aws.services.ecr.state import EcrState

URL_SECONDS = 3600
PART_BYTES = 10 << 20
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
SMALLEST_PART = 5 << 20


class LayerApi(EcrState):
    """The operations that read and write layers."""

    def batch_check_layer_availability(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return which layers a repository has."""
        repository = self.repository(params["repositoryName"])
        layers = [self._availability(repository, digest) for digest in params["layerDigests"]]
        return {"layers": layers, "failures": []}

    def _availability(self, repository: ImageRepository, digest: str) -> dict[str, Any]:
        path = self.blobs.blob(repository.name, digest)
        if not path.exists():
            return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
        return {"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": path.stat().st_size}

    def get_download_url_for_layer(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a URL that needs no credentials, good for an hour; AWS's is of S3, ours of the registry."""
        repository, digest = self.repository(params["repositoryName"]), params["layerDigest"]
        if not self.blobs.blob(repository.name, digest).exists():
            raise errors.layers_not_found([digest], repository.name, self.context.account)
        token = secrets.token_urlsafe(48)
        path = f"/v2/{self.context.account}/{repository.name}/blobs/{digest}"
        self.logins[f"GET {path} {token}"] = Login(CALLER.get(), time.time() + URL_SECONDS)
        return {"downloadUrl": f"{self.context.endpoint}{path}?token={token}", "layerDigest": digest}

    def initiate_layer_upload(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Begin an upload."""
        upload = str(uuid.uuid4())
        self.blobs.upload(self.repository(params["repositoryName"]).name, _file(upload)).touch()
        return {"uploadId": upload, "partSize": PART_BYTES}

    def upload_layer_part(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Add a part, which must follow the one before it."""
        repository, upload = self.repository(params["repositoryName"]), params["uploadId"]
        path = self.blobs.upload(repository.name, _file(upload))
        if not path.exists():
            raise errors.upload_not_found(upload, repository.name, self.context.account)
        first, last, part = params["partFirstByte"], params["partLastByte"], params["layerPartBlob"]
        received = path.stat().st_size
        if first != received or last - first + 1 != len(part):
            raise AwsError(
                "InvalidLayerPartException",
                f"The part of the bytes {first} to {last} is invalid: {len(part)} bytes after {received}",
            )
        with path.open("ab") as file:
            file.write(part)
        self.parts.setdefault(upload, []).append(len(part))
        return {**self._upload(repository, upload), "lastByteReceived": last}

    def complete_layer_upload(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Make an upload a layer, if its content has the digest."""
        repository, upload = self.repository(params["repositoryName"]), params["uploadId"]
        if not self.blobs.upload(repository.name, _file(upload)).exists():
            raise errors.upload_not_found(upload, repository.name, self.context.account)
        if not self.blobs.upload(repository.name, _file(upload)).stat().st_size:
            raise AwsError("EmptyUploadException", "The specified layer upload has no layer parts")
        if any(size < SMALLEST_PART for size in self.parts.get(upload, [])[:-1]):
            raise AwsError(
                "LayerPartTooSmallException", "Layer parts must be at least 5 MiB, but for the last"
            )
        (digest,) = params["layerDigests"]
        if self.blobs.blob(repository.name, digest).exists():
            raise errors.layer_exists(digest, repository.name, self.context.account)
        if not self.blobs.finish(repository.name, _file(upload), digest):
            raise AwsError("InvalidLayerException", f"The layer's content does not have the digest {digest}")
        self.parts.pop(upload, None)
        return {**self._upload(repository, upload), "layerDigest": digest}

    def _upload(self, repository: ImageRepository, upload: str) -> dict[str, str]:
        return {
            "registryId": self.context.account,
            "repositoryName": repository.name,
            "uploadId": upload,
        }


def _file(upload: str) -> str:
    return upload.replace("-", "")
