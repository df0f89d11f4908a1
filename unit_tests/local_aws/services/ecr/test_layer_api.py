"""ECR's API of layers: an image is copied from one repository to another without Docker."""

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from local_aws.services.ecr import layer_api
from local_aws.services.ecr.service import Ecr
from unit_tests.local_aws.services.ecr.registry_server import make_ecr, serving

LAYER = b"the layer"
DIGEST = f"sha256:{hashlib.sha256(LAYER).hexdigest()}"
MANIFEST = json.dumps({"config": {"digest": DIGEST, "mediaType": "config"}, "layers": []})
IMAGES = {"repositoryName": "images-dev"}


@pytest.fixture
def ecr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ecr]:
    monkeypatch.setattr(layer_api, "SMALLEST_PART", 4)
    found = make_ecr(tmp_path / "state")
    found.call("CreateRepository", {**IMAGES, "imageTagMutability": "IMMUTABLE"})
    with serving(found) as endpoint:
        found.context = replace(found.context, endpoint=endpoint)
        yield found


def upload(ecr: Ecr, *parts: bytes, digest: str = DIGEST) -> dict[str, Any]:
    named, first = {**IMAGES, "uploadId": ecr.call("InitiateLayerUpload", IMAGES)["uploadId"]}, 0
    for part in parts:
        place = {"partFirstByte": first, "partLastByte": first + len(part) - 1}
        ecr.call("UploadLayerPart", {**named, **place, "layerPartBlob": part})
        first += len(part)
    return ecr.call("CompleteLayerUpload", {**named, "layerDigests": [digest]})


def availability(ecr: Ecr) -> str:
    found = ecr.call("BatchCheckLayerAvailability", {**IMAGES, "layerDigests": [DIGEST]})
    return str(found["layers"][0]["layerAvailability"])


def test_a_layer_is_uploaded_in_parts_and_downloaded_by_its_url(ecr: Ecr) -> None:
    assert availability(ecr) == "UNAVAILABLE"
    assert upload(ecr, LAYER[:4], LAYER[4:])["layerDigest"] == DIGEST
    assert availability(ecr) == "AVAILABLE"
    url = ecr.call("GetDownloadUrlForLayer", {**IMAGES, "layerDigest": DIGEST})["downloadUrl"]
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own server
        assert response.read() == LAYER


def test_the_url_of_a_layer_is_good_for_nothing_else(ecr: Ecr) -> None:
    upload(ecr, LAYER)
    url = ecr.call("GetDownloadUrlForLayer", {**IMAGES, "layerDigest": DIGEST})["downloadUrl"]
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url.replace(f"blobs/{DIGEST}", "tags/list"), timeout=5)  # noqa: S310 - our own server
    with caught.value as error:
        assert error.code == 401


def test_content_with_another_digest_is_no_layer(ecr: Ecr) -> None:
    with pytest.raises(AwsError, match="InvalidLayerException"):
        upload(ecr, b"other")
    assert availability(ecr) == "UNAVAILABLE"


def test_a_part_must_follow_the_one_before(ecr: Ecr) -> None:
    named = {**IMAGES, "uploadId": ecr.call("InitiateLayerUpload", IMAGES)["uploadId"]}
    with pytest.raises(AwsError, match="InvalidLayerPartException"):
        ecr.call("UploadLayerPart", {**named, "partFirstByte": 5, "partLastByte": 5, "layerPartBlob": b"x"})


def test_a_layer_that_exists_is_not_uploaded_again(ecr: Ecr) -> None:
    upload(ecr, LAYER)
    with pytest.raises(AwsError, match="LayerAlreadyExistsException"):
        upload(ecr, LAYER)


def test_a_second_tag_is_added_by_a_manifest_that_is_there(ecr: Ecr) -> None:
    upload(ecr, LAYER)
    for tag in ("v1", "in-use-1"):
        ecr.call("PutImage", {**IMAGES, "imageManifest": MANIFEST, "imageTag": tag})
    (image,) = ecr.call("DescribeImages", IMAGES)["imageDetails"]
    assert image["imageTags"] == ["in-use-1", "v1"]
    with pytest.raises(AwsError, match="ImageAlreadyExistsException"):
        ecr.call("PutImage", {**IMAGES, "imageManifest": MANIFEST, "imageTag": "v1"})


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"imageTag": "v1"}, "ImageTagAlreadyExistsException"),
        ({"imageDigest": f"sha256:{'0' * 64}"}, "ImageDigestDoesNotMatchException"),
        ({"imageManifest": MANIFEST.replace(DIGEST, f"sha256:{'0' * 64}")}, "LayersNotFoundException"),
        ({"imageManifest": "no JSON"}, "InvalidParameterException"),
    ],
)
def test_an_image_that_aws_rejects_is_rejected(ecr: Ecr, changed: dict[str, str], code: str) -> None:
    upload(ecr, LAYER)
    ecr.call("PutImage", {**IMAGES, "imageManifest": MANIFEST, "imageTag": "v1"})
    other = {**IMAGES, "imageManifest": f"{MANIFEST} ", "imageTag": "v2"}
    with pytest.raises(AwsError) as caught:
        ecr.call("PutImage", {**other, **changed})
    assert caught.value.code == code
