"""Pushes small images with ECR's API, which works on both clouds."""

import base64
import hashlib
import json
from contextlib import suppress
from typing import Any

import requests

from harness.cloud import Cloud

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"


def push_image(cloud: Cloud, repository: str, tag: str) -> str:
    """Push an image that no other tag has; return its digest."""
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"tag": tag}}}
    content = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _blob(cloud, repository, json.dumps(config).encode(), CONFIG),
        "layers": [_blob(cloud, repository, f"the layer of {tag}".encode(), LAYER)],
    }
    put = cloud.client("ecr").put_image(
        repositoryName=repository,
        imageManifest=json.dumps(content),
        imageManifestMediaType=MANIFEST,
        imageTag=tag,
    )
    return str(put["image"]["imageId"]["imageDigest"])


def _blob(cloud: Cloud, repository: str, content: bytes, kind: str) -> dict[str, Any]:
    """Upload a configuration or a layer; return what a manifest says of it."""
    ecr, digest = cloud.client("ecr"), f"sha256:{hashlib.sha256(content).hexdigest()}"
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    named = {"repositoryName": repository, "uploadId": upload}
    ecr.upload_layer_part(**named, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content)
    # The same content may have been uploaded before.
    with suppress(ecr.exceptions.LayerAlreadyExistsException):
        ecr.complete_layer_upload(**named, layerDigests=[digest])
    return {"mediaType": kind, "size": len(content), "digest": digest}


def signed_payload(cloud: Cloud, repository: str, digest: str) -> tuple[bytes, bytes]:
    """Return what is signed of an image, and its signature."""
    ((layer, content),) = _attached(cloud, repository, f"{digest.replace(':', '-')}.sig")
    return content, base64.b64decode(layer["annotations"][SIGNATURE])


def attestations(cloud: Cloud, repository: str, digest: str) -> dict[str, Any]:
    """Return the signed envelopes that are attached to an image, by the type of what they say."""
    found = _attached(cloud, repository, f"{digest.replace(':', '-')}.att")
    return {layer["annotations"]["predicateType"]: json.loads(content) for layer, content in found}


def _attached(cloud: Cloud, repository: str, tag: str) -> list[tuple[dict[str, Any], bytes]]:
    """Return the layers of what is attached to an image, with their content."""
    ecr, found = cloud.client("ecr"), []
    (image,) = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])["images"]
    for layer in json.loads(image["imageManifest"])["layers"]:
        url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=layer["digest"])
        found.append((layer, requests.get(url["downloadUrl"], timeout=10).content))
    return found


def attach_signature(cloud: Cloud, repository: str, digest: str, payload: bytes, signature: bytes) -> None:
    """Attach a signature to an image, as cosign does."""
    layer = _blob(cloud, repository, payload, "application/vnd.dev.cosign.simplesigning.v1+json")
    layer["annotations"] = {SIGNATURE: base64.b64encode(signature).decode()}
    config = _blob(cloud, repository, digest.encode(), OCI_CONFIG)
    content = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
    cloud.client("ecr").put_image(
        repositoryName=repository,
        imageManifest=json.dumps(content),
        imageManifestMediaType=OCI_MANIFEST,
        imageTag=f"{digest.replace(':', '-')}.sig",
    )
