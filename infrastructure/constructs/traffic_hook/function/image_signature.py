"""Verify that Build, of this environment or of one that it is promoted from, signed the image of a release.

The signature is cosign's: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
"""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_ANNOTATION = "dev.cosignproject.cosign/signature"
# KMS's limit: https://docs.aws.amazon.com/kms/latest/APIReference/API_Verify.html
_LONGEST_PAYLOAD = 4096
# Whoever may push may add more.
_MOST_SIGNATURES = 10
_DOWNLOAD_SECONDS = 10.0


class SignatureError(Exception):
    """The image must not receive traffic; the message says which image, which keys, and what is missing."""


@dataclass(frozen=True)
class Signature:
    """A signature, and what it signs."""

    payload: bytes
    value: bytes

    @property
    def digest(self) -> str:
        """The digest of the image that is signed."""
        return str(json.loads(self.payload)["critical"]["image"]["docker-manifest-digest"])


@dataclass(frozen=True)
class Signatures:
    """The signatures of the images of a repository; `keys` are the ARNs of the aliases of trusted keys."""

    repository: str
    keys: tuple[str, ...]

    def check(self, ecr: Any, kms: Any, digest: str) -> str:
        """Return the key that signed an image. Raises SignatureError if none of the keys did."""
        reasons = []
        for signature in self._signatures(ecr, digest):
            if signature.digest != digest:
                reasons.append(f"it has a signature of {signature.digest}")
                continue
            for key in self.keys:
                problem = _problem(kms, key, signature)
                if problem is None:
                    return key
                reasons.append(f"{key.rpartition(':')[2]}: {problem}")
        raise SignatureError(
            f"the image {digest} in {self.repository} has no signature by {' or '.join(self.keys)} "
            f"({'; '.join(reasons) or 'it has no signature'}): only Build signs, so start the pipeline again "
            "where the image was built, or see docs/operations.md"
        )

    def _signatures(self, ecr: Any, digest: str) -> Iterator[Signature]:
        tag = f"{digest.replace(':', '-')}.sig"
        images = ecr.batch_get_image(
            repositoryName=self.repository, imageIds=[{"imageTag": tag}], acceptedMediaTypes=[_MANIFEST]
        )["images"]
        layers = json.loads(images[0]["imageManifest"])["layers"] if images else []
        for layer in layers[:_MOST_SIGNATURES]:
            value = base64.b64decode(layer["annotations"][_ANNOTATION], validate=True)
            yield Signature(self._payload(ecr, layer), value)

    def _payload(self, ecr: Any, layer: Mapping[str, Any]) -> bytes:
        found = ecr.get_download_url_for_layer(repositoryName=self.repository, layerDigest=layer["digest"])
        with urllib.request.urlopen(found["downloadUrl"], timeout=_DOWNLOAD_SECONDS) as response:  # noqa: S310 - ECR's URL
            payload: bytes = response.read(_LONGEST_PAYLOAD + 1)
        if len(payload) > _LONGEST_PAYLOAD:
            raise SignatureError(f"the signature {layer['digest']} in {self.repository} is too long")
        if layer["digest"] != f"sha256:{hashlib.sha256(payload).hexdigest()}":
            raise SignatureError(f"the signature {layer['digest']} in {self.repository} has another content")
        return payload


def _problem(kms: Any, key: str, signature: Signature) -> str | None:
    """Return why a signature is not one by a key, or None."""
    try:
        kms.verify(
            KeyId=key,
            Message=signature.payload,
            MessageType="RAW",
            Signature=signature.value,
            SigningAlgorithm="ECDSA_SHA_256",
        )
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None
