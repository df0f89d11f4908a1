"""OCI indexes and manifest lists, which buildx pushes by default, in ECR and in the image of a task."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local_aws.containers.engine import PullError
from local_aws.containers.images.registry_client import Reference, Registry, RegistryError
from local_aws.containers.images.store import MANIFEST_TYPE, Image, ImageStore
from local_aws.core.api import AwsError
from local_aws.services.ecr.service import Ecr
from unit_tests.local_aws.containers.fakes import HOST, process_engine
from unit_tests.local_aws.services.ecr.registry_server import make_ecr, serving
from unit_tests.local_aws.services.ecr.test_service import NAME, login, small_image

TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
IMAGES = {"repositoryName": "images-dev"}


@pytest.fixture
def ecr(tmp_path: Path) -> Ecr:
    found = make_ecr(tmp_path / "state")
    found.call("CreateRepository", {**IMAGES, "imageScanningConfiguration": {"scanOnPush": True}})
    return found


@pytest.fixture
def endpoint(ecr: Ecr) -> Iterator[str]:
    with serving(ecr) as found:
        yield found


class Pushed:
    """An image whose manifest has no tag, and an index that refers to it, as buildx pushes them."""

    def __init__(
        self, ecr: Ecr, endpoint: str, folder: Path, kind: str = TYPES[0], architecture: str = "amd64"
    ) -> None:
        self.store, self.image = small_image(folder)
        self.password = login(ecr)
        self.endpoint = endpoint
        child = Registry(endpoint, Reference.parse(f"{HOST}/images-dev:child"), self.password)
        self.child, size = child.push(self.store, self.image, lambda _: None)
        descriptor = {"mediaType": MANIFEST_TYPE, "digest": self.child, "size": size}
        attestation = {**descriptor, "platform": {"os": "unknown", "architecture": "unknown"}}
        listed = [attestation, {**descriptor, "platform": {"os": "linux", "architecture": architecture}}]
        self.body = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": listed}).encode()
        ecr.repositories["images-dev"].images[self.child].tags.clear()
        self.digest = self.put("v1", self.body, kind)

    def put(self, tag: str, body: bytes, kind: str = TYPES[0]) -> str:
        registry = Registry(self.endpoint, Reference.parse(NAME), self.password)
        url = f"{self.endpoint}/v2/images-dev/manifests/{tag}"
        return registry._request("PUT", url, body, {"Content-Type": kind})[1]["Docker-Content-Digest"]

    def pull(self, store: ImageStore) -> Image:
        return Registry(self.endpoint, Reference.parse(NAME), self.password).pull(store)


@pytest.mark.parametrize("kind", TYPES)
def test_an_index_is_pushed_and_the_image_of_the_platform_is_pulled(
    ecr: Ecr, endpoint: str, tmp_path: Path, kind: str
) -> None:
    pushed = Pushed(ecr, endpoint, tmp_path, kind)
    assert pushed.pull(ImageStore(tmp_path / "other")).id == pushed.image.id
    details = {one["imageDigest"]: one for one in ecr.call("DescribeImages", IMAGES)["imageDetails"]}
    index, child = details[pushed.digest], details[pushed.child]
    assert (index["imageTags"], index["imageManifestMediaType"]) == (["v1"], kind)
    assert index["imageSizeInBytes"] == child["imageSizeInBytes"] > 0
    assert "artifactMediaType" not in index
    assert "imageTags" not in child


def test_an_index_without_the_platform_stops_the_task_with_fargates_reason(
    ecr: Ecr, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://github.com/aws/containers-roadmap/issues/1120 ."""
    pushed = Pushed(ecr, endpoint, tmp_path, architecture="arm64")
    engine = process_engine()
    monkeypatch.setattr(engine.context, "endpoint", endpoint)
    with pytest.raises(PullError, match="does not contain descriptor matching platform 'linux/amd64'"):
        engine.pull(NAME, pushed.password)


def test_an_index_of_images_that_are_not_there_is_refused(ecr: Ecr, endpoint: str, tmp_path: Path) -> None:
    """https://github.com/int128/docker-manifest-create-action/pull/63 ."""
    pushed = Pushed(ecr, endpoint, tmp_path)
    missing = f"sha256:{'0' * 64}"
    body = pushed.body.replace(pushed.child.encode(), missing.encode())
    with pytest.raises(RegistryError, match=f"Images with digests '.{missing}") as caught:
        pushed.put("v2", body)
    assert caught.value.code == "MANIFEST_BLOB_UNKNOWN"
    given = {**IMAGES, "imageManifest": body.decode(), "imageManifestMediaType": TYPES[0]}
    with pytest.raises(AwsError, match="ReferencedImagesNotFoundException"):
        ecr.call("PutImage", {**given, "imageTag": "v2"})


def failures(ecr: Ecr, *ids: dict[str, str]) -> list[Any]:
    return list(ecr.call("BatchDeleteImage", {**IMAGES, "imageIds": list(ids)})["failures"])


def test_an_image_of_an_index_is_deleted_only_after_it(ecr: Ecr, endpoint: str, tmp_path: Path) -> None:
    pushed = Pushed(ecr, endpoint, tmp_path)
    (failure,) = failures(ecr, {"imageDigest": pushed.child})
    assert failure["failureCode"] == "ImageReferencedByManifestList"
    assert failure["failureReason"] == f"Requested image referenced by manifest list: [{pushed.digest}]"
    assert failures(ecr, {"imageTag": "v1"}) == []
    assert failures(ecr, {"imageDigest": pushed.child}) == []
    assert ecr.call("ListImages", IMAGES)["imageIds"] == []


def test_the_images_of_an_index_do_not_expire_before_it(ecr: Ecr, endpoint: str, tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html ."""
    pushed = Pushed(ecr, endpoint, tmp_path)
    by_age = {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}
    rule = {"rulePriority": 1, "selection": {"tagStatus": "untagged", **by_age}, "action": {"type": "expire"}}
    for image in ecr.repositories["images-dev"].images.values():
        image.pushed -= timedelta(days=30)
    ecr.call("PutLifecyclePolicy", {**IMAGES, "lifecyclePolicyText": json.dumps({"rules": [rule]})})
    assert pushed.child in ecr.repositories["images-dev"].images
    ecr.call("BatchDeleteImage", {**IMAGES, "imageIds": [{"imageTag": "v1"}]})
    assert ecr.repositories["images-dev"].images == {}


def test_an_index_is_not_scanned(ecr: Ecr, endpoint: str, tmp_path: Path) -> None:
    pushed = Pushed(ecr, endpoint, tmp_path)
    details = ecr.call("DescribeImages", IMAGES)["imageDetails"]
    scanned = {one["imageDigest"]: "imageScanStatus" in one for one in details}
    assert scanned == {pushed.child: True, pushed.digest: False}
    with pytest.raises(AwsError, match="UnsupportedImageTypeException"):
        ecr.call("StartImageScan", {**IMAGES, "imageId": {"imageDigest": pushed.digest}})
