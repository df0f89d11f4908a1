"""Copy an image and its signature to another ECR repository, without a rebuild (pitfall F13).

CodeBuild runs this file, with the AWS CLI: its Python may have no boto3. The image is that of
imageDetail.json, which then names the copy. The copy has the same manifest, hence the same digest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# Of InitiateLayerUpload: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html
PART_BYTES = 10 << 20
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)

# The tags of the signature and the provenance. The hook of the target verifies the signature.
ATTACHED = (".sig", ".att")


class CopyError(Exception):
    """The image cannot be copied; the message says why, and what to do."""


class EcrError(Exception):
    """A call of ECR failed; `code` is ECR's."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message.partition("(")[2].partition(")")[0]


class Repository:
    """An ECR repository, by its URI."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        host, _, self.name = uri.partition("/")
        self.account = host.partition(".")[0]

    def call(self, operation: str, *arguments: str) -> Any:
        """Call ECR; return its response."""
        command = ["aws", "ecr", operation, "--registry-id", self.account, "--repository-name", self.name]
        command += ["--output", "json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the AWS CLI
        if done.returncode:
            raise EcrError(done.stderr.strip())
        return json.loads(done.stdout)


def find(source: Repository, image: str) -> Any:
    """Return the image with an id such as `imageTag=v1`, or None."""
    given = ["--image-ids", image, "--accepted-media-types", *MANIFESTS]
    found = source.call("batch-get-image", *given)["images"]
    return found[0] if found else None


def copy(source: Repository, digest: str, target: Repository, tag: str) -> None:
    """Copy the image with a digest, give the copy a tag, and copy what is attached to the image."""
    image = find(source, f"imageDigest={digest}")
    if image is None:
        raise CopyError(
            f"the image {digest} of commit {tag} is no longer in {source.name}: reject this release and "
            "promote a newer commit, or start the pipeline again to build this one"
        )
    copy_found(source, image, target, tag)
    for end in ATTACHED:
        name = digest.replace(":", "-") + end
        attached = find(source, f"imageTag={name}")
        if attached is not None:
            copy_found(source, attached, target, name)


def copy_found(source: Repository, image: Any, target: Repository, tag: str) -> None:
    """Copy the layers and the manifest of an image."""
    manifest = image["imageManifest"]
    content = json.loads(manifest)
    layers = list(dict.fromkeys(one["digest"] for one in (content["config"], *content["layers"])))
    known = target.call("batch-check-layer-availability", "--layer-digests", *layers)["layers"]
    missing = [one["layerDigest"] for one in known if one["layerAvailability"] != "AVAILABLE"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda layer: copy_layer(source, layer, target), missing))
    print(f"{len(missing)} of {len(layers)} layers were copied")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "manifest.json")
        path.write_text(manifest)
        put_manifest(target, path, image["imageManifestMediaType"], image["imageId"]["imageDigest"], tag)


def copy_layer(source: Repository, layer: str, target: Repository) -> None:
    """Copy a layer; ECR compares its content with its digest."""
    url = source.call("get-download-url-for-layer", "--layer-digest", layer)["downloadUrl"]
    upload = ["--upload-id", target.call("initiate-layer-upload")["uploadId"]]
    first = 0
    with urllib.request.urlopen(url, timeout=60) as response, tempfile.NamedTemporaryFile() as file:  # noqa: S310 - ECR's URL
        while part := response.read(PART_BYTES):
            file.seek(0)
            file.truncate()
            file.write(part)
            file.flush()
            last = first + len(part) - 1
            place = ["--part-first-byte", str(first), "--part-last-byte", str(last)]
            target.call("upload-layer-part", *upload, *place, "--layer-part-blob", f"fileb://{file.name}")
            first = last + 1
    try:
        target.call("complete-layer-upload", *upload, "--layer-digests", layer)
    except EcrError as error:
        if error.code != "LayerAlreadyExistsException":
            raise


def put_manifest(target: Repository, path: Path, kind: str, digest: str, tag: str) -> None:
    """Store the manifest under a tag; the same image may be there already, another may not."""
    named = ["--image-manifest", f"file://{path}", "--image-manifest-media-type", kind]
    try:
        target.call("put-image", *named, "--image-digest", digest, "--image-tag", tag)
    except EcrError as error:
        if error.code == "ImageTagAlreadyExistsException":
            raise CopyError(f"{target.name} has another image {tag}: delete that one") from error
        if error.code != "ImageAlreadyExistsException":
            raise
        print("the image was there already")


def main() -> None:
    """Copy the image of imageDetail.json to TARGET_REPOSITORY_URI.

    The tag names the commit and the image: a commit that is built again has another image.
    """
    detail = Path("imageDetail.json")
    uri, _, digest = json.loads(detail.read_text())["ImageURI"].partition("@")
    target = Repository(os.environ["TARGET_REPOSITORY_URI"])
    try:
        copy(Repository(uri), digest, target, f"commit-{os.environ['COMMIT']}-{digest[7:19]}")
    except (CopyError, EcrError, OSError) as error:
        sys.exit(f"cannot copy the image to {target.uri}: {error}")
    detail.write_text(json.dumps({"ImageURI": f"{target.uri}@{digest}"}))


if __name__ == "__main__":
    main()
