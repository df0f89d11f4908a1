"""ECR: pushes and pulls over HTTP, logins, and errors in AWS's words."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.containers.images.registry_client import Reference, Registry, RegistryError
from local_aws.containers.images.store import MANIFEST_TYPE, Image, ImageStore
from local_aws.core.api import AwsError
from local_aws.services.ecr.records import Login
from local_aws.services.ecr.service import Ecr
from unit_tests.local_aws.containers.fakes import HOST, build, project
from unit_tests.local_aws.services.ecr.registry_server import make_ecr, serving

NAME = f"{HOST}/images-dev:v1"
SELECTION = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}
POLICY = json.dumps({"rules": [{"rulePriority": 1, "selection": SELECTION, "action": {"type": "expire"}}]})


@pytest.fixture
def events() -> list[Any]:
    return []


@pytest.fixture
def ecr(tmp_path: Path, events: list[Any]) -> Ecr:
    found = make_ecr(tmp_path / "state", events)
    found.call("CreateRepository", {"repositoryName": "images-dev", "imageTagMutability": "IMMUTABLE"})
    return found


@pytest.fixture
def endpoint(ecr: Ecr) -> Iterator[str]:
    with serving(ecr) as found:
        yield found


def login(ecr: Ecr) -> str:
    data = ecr.call("GetAuthorizationToken", {})["authorizationData"][0]
    return base64.b64decode(data["authorizationToken"]).decode()


def small_image(tmp_path: Path, text: str = "one") -> tuple[ImageStore, Image]:
    from unit_tests.local_aws.containers.fakes import shared_store

    folder = project(tmp_path / f"project-{text}", "FROM BASE\nCOPY a.txt /\nENV A=1", a__txt=text)
    return shared_store(), build(folder)


def push(ecr: Ecr, endpoint: str, store: ImageStore, image: Image, name: str = NAME) -> str:
    return Registry(endpoint, Reference.parse(name), login(ecr)).push(store, image, lambda _: None)[0]


def test_a_pushed_image_is_pulled_by_digest_into_another_store(
    ecr: Ecr, endpoint: str, tmp_path: Path
) -> None:
    store, image = small_image(tmp_path)
    digest = push(ecr, endpoint, store, image)
    other = ImageStore(tmp_path / "other")
    pulled = Registry(endpoint, Reference.parse(f"{HOST}/images-dev@{digest}"), login(ecr)).pull(other)
    assert pulled.id == image.id
    assert (other.unpack(pulled) / "a.txt").read_text() == "one"
    detail = ecr.call("DescribeImages", {"repositoryName": "images-dev"})["imageDetails"][0]
    assert (detail["imageDigest"], detail["imageTags"]) == (digest, ["v1"])
    assert detail["imageSizeInBytes"] == sum(store.blob(layer).stat().st_size for layer in image.layers)


@pytest.mark.parametrize("wrong", [None, "AWS:wrong", "root:"])
def test_without_the_right_password_nothing_is_pushed(
    ecr: Ecr, endpoint: str, tmp_path: Path, wrong: str | None
) -> None:
    store, image = small_image(tmp_path)
    with pytest.raises(RegistryError) as caught:
        Registry(endpoint, Reference.parse(NAME), wrong).push(store, image, lambda _: None)
    assert caught.value.status == 401
    assert str(caught.value) == "no basic auth credentials"
    assert ecr.call("ListImages", {"repositoryName": "images-dev"})["imageIds"] == []


def test_an_expired_password_is_refused(ecr: Ecr, endpoint: str) -> None:
    password = login(ecr)
    Registry(endpoint, Reference.parse(NAME), password).ping()
    ecr.logins = dict.fromkeys(ecr.logins, Login("", 0.0))
    with pytest.raises(RegistryError):
        Registry(endpoint, Reference.parse(NAME), password).ping()


def test_a_mutable_tag_can_be_moved_and_an_immutable_one_not(ecr: Ecr, endpoint: str, tmp_path: Path) -> None:
    store, first = small_image(tmp_path)
    _, second = small_image(tmp_path, "two")
    push(ecr, endpoint, store, first)
    with pytest.raises(RegistryError, match="already exists in the 'images-dev' repository and cannot be"):
        push(ecr, endpoint, store, first)
    with pytest.raises(RegistryError, match="already exists in the 'images-dev' repository and cannot be"):
        push(ecr, endpoint, store, second)
    ecr.call("PutImageTagMutability", {"repositoryName": "images-dev", "imageTagMutability": "MUTABLE"})
    moved = push(ecr, endpoint, store, second)
    tagged = {"repositoryName": "images-dev", "imageIds": [{"imageTag": "v1"}]}
    assert ecr.call("BatchGetImage", tagged)["images"][0]["imageId"]["imageDigest"] == moved


def test_a_manifest_whose_layers_were_not_pushed_is_refused(ecr: Ecr, endpoint: str, tmp_path: Path) -> None:
    store, image = small_image(tmp_path)
    client = Registry(endpoint, Reference.parse(NAME), login(ecr))
    url = f"{endpoint}/v2/images-dev/manifests/v1"
    with pytest.raises(RegistryError) as caught:
        client._request("PUT", url, store.manifest(image), {"Content-Type": MANIFEST_TYPE})
    assert caught.value.code == "MANIFEST_BLOB_UNKNOWN"


def test_an_upload_whose_digest_does_not_match_is_refused(ecr: Ecr, endpoint: str) -> None:
    client = Registry(endpoint, Reference.parse(NAME), login(ecr))
    _, headers, _ = client._request("POST", f"{endpoint}/v2/images-dev/blobs/uploads/")
    with pytest.raises(RegistryError) as caught:
        client._request("PUT", f"{endpoint}{headers['Location']}?digest=sha256:{'0' * 64}", b"x")
    assert caught.value.code == "DIGEST_INVALID"


def test_a_push_to_an_unknown_repository_fails_with_its_name(ecr: Ecr, endpoint: str, tmp_path: Path) -> None:
    store, image = small_image(tmp_path)
    with pytest.raises(RegistryError) as caught:
        push(ecr, endpoint, store, image, f"{HOST}/nowhere:v1")
    assert caught.value.code == "NAME_UNKNOWN"
    assert "'nowhere' does not exist" in str(caught.value)


def test_a_repository_with_images_is_deleted_only_by_force_and_with_its_images(
    ecr: Ecr, endpoint: str, tmp_path: Path
) -> None:
    store, image = small_image(tmp_path)
    digest = push(ecr, endpoint, store, image)
    with pytest.raises(AwsError, match="RepositoryNotEmptyException"):
        ecr.call("DeleteRepository", {"repositoryName": "images-dev"})
    ecr.call("DeleteRepository", {"repositoryName": "images-dev", "force": True})
    ecr.call("CreateRepository", {"repositoryName": "images-dev"})
    with pytest.raises(RegistryError, match="Requested image not found"):
        Registry(endpoint, Reference.parse(f"{HOST}/images-dev@{digest}"), login(ecr)).pull(store)
    assert not ecr.blobs.blob("images-dev", image.layers[0]).exists()


def test_deleting_the_last_tag_deletes_the_image(ecr: Ecr, endpoint: str, tmp_path: Path) -> None:
    store, image = small_image(tmp_path)
    for tag in ("v1", "v2"):
        push(ecr, endpoint, store, image, f"{HOST}/images-dev:{tag}")
    for left, tag in ((1, "v1"), (0, "v2")):
        gone = {"repositoryName": "images-dev", "imageIds": [{"imageTag": tag}]}
        assert ecr.call("BatchDeleteImage", gone)["failures"] == []
        assert len(ecr.call("ListImages", {"repositoryName": "images-dev"})["imageIds"]) == left


def test_an_image_that_does_not_exist_is_a_failure(ecr: Ecr) -> None:
    wanted = {"repositoryName": "images-dev", "imageIds": [{"imageTag": "v9"}]}
    with pytest.raises(AwsError, match="ImageNotFoundException"):
        ecr.call("DescribeImages", wanted)
    assert ecr.call("BatchGetImage", wanted)["failures"][0]["failureCode"] == "ImageNotFound"


def test_a_push_sends_an_event(ecr: Ecr, endpoint: str, tmp_path: Path, events: list[Any]) -> None:
    store, image = small_image(tmp_path)
    digest = push(ecr, endpoint, store, image)
    source, kind, _, detail = events[-1]
    assert (source, kind) == ("aws.ecr", "ECR Image Action")
    assert (detail["image-digest"], detail["image-tag"], detail["result"]) == (digest, "v1", "SUCCESS")


def test_a_stack_creates_updates_and_empties_a_repository(tmp_path: Path) -> None:
    ecr = make_ecr(tmp_path)
    kind = ecr.resource_types()["AWS::ECR::Repository"]
    properties = {
        "RepositoryName": "images-dev",
        "ImageTagMutability": "IMMUTABLE",
        "ImageScanningConfiguration": {"ScanOnPush": "true"},
        "LifecyclePolicy": {"LifecyclePolicyText": POLICY},
        "EmptyOnDelete": "true",
        "Tags": [{"Key": "a", "Value": "1"}],
    }
    name, attributes = kind.create(properties, "Repository", "stack-dev")
    assert attributes["RepositoryUri"] == f"{HOST}/images-dev"
    made = ecr.call("DescribeRepositories", {})["repositories"][0]
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    assert ecr.call("GetLifecyclePolicy", {"repositoryName": name})["lifecyclePolicyText"] == POLICY
    assert kind.update is not None
    kind.update(name, properties, {"RepositoryName": name, "Tags": [{"Key": "b", "Value": "2"}]})
    arn = attributes["Arn"]
    assert ecr.call("ListTagsForResource", {"resourceArn": arn})["tags"] == [{"Key": "b", "Value": "2"}]
    with pytest.raises(AwsError, match="LifecyclePolicyNotFoundException"):
        ecr.call("GetLifecyclePolicy", {"repositoryName": name})
    ecr.repositories[name].put("sha256:1", b"{}", MANIFEST_TYPE, "v1")
    with pytest.raises(AwsError, match="RepositoryNotEmptyException"):
        kind.delete(name, {"EmptyOnDelete": False})
    kind.delete(name, properties)
    assert ecr.call("DescribeRepositories", {})["repositories"] == []


def test_a_repository_whose_policy_is_refused_is_deleted(tmp_path: Path) -> None:
    ecr = make_ecr(tmp_path)
    kind = ecr.resource_types()["AWS::ECR::Repository"]
    policy = {"LifecyclePolicyText": "not JSON" * 20}
    with pytest.raises(AwsError, match="Lifecycle policy validation failure"):
        kind.create({"RepositoryName": "images-dev", "LifecyclePolicy": policy}, "Repository", "stack-dev")
    assert ecr.call("DescribeRepositories", {})["repositories"] == []


def test_an_unknown_property_is_refused(tmp_path: Path) -> None:
    kind = make_ecr(tmp_path).resource_types()["AWS::ECR::Repository"]
    with pytest.raises(AwsError, match="not support the property Surprise"):
        kind.create({"RepositoryName": "a", "Surprise": 1}, "Repository", "stack-dev")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("python:3.9", ("docker.io", "python", "3.9", "")),
        (f"{HOST}/a/b", (HOST, "a/b", "latest", "")),
        (f"{HOST}/a@sha256:1", (HOST, "a", "", "sha256:1")),
        ("localhost:5000/a:b", ("localhost:5000", "a", "b", "")),
    ],
)
def test_references_are_split_as_docker_splits_them(text: str, parts: tuple[str, ...]) -> None:
    found = Reference.parse(text)
    assert (found.host, found.repository, found.tag, found.digest) == parts


def test_a_layer_that_fills_the_disk_is_refused_and_deleted(ecr: Ecr) -> None:
    allowed = {"authorization": "Basic " + base64.b64encode(login(ecr).encode()).decode()}
    path = "/v2/images-dev/blobs/uploads/"
    _, headers, _ = ecr.registry.answer("POST", path, allowed, b"", {})
    name = headers["Docker-Upload-UUID"]
    growing = ecr.blobs.upload("images-dev", name)
    growing.unlink()
    growing.symlink_to("/dev/full")  # where every write ends with ENOSPC
    status, _, body = ecr.registry.answer("PATCH", path + name, allowed, b"layer", {})
    assert status == 500
    assert "no space left on device" in body.decode()
    assert not growing.is_symlink()
    assert ecr.registry.answer("PATCH", path + name, allowed, b"layer", {})[0] == 404


def test_a_filter_excludes_tags_from_the_setting_of_the_repository(
    ecr: Ecr, endpoint: str, tmp_path: Path
) -> None:
    store, first = small_image(tmp_path)
    _, second = small_image(tmp_path, "two")
    setting = {
        "repositoryName": "images-dev",
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev*"}],
    }
    assert ecr.call("PutImageTagMutability", setting).items() >= setting.items()
    for tag in ("dev1", "v1"):
        push(ecr, endpoint, store, first, f"{HOST}/images-dev:{tag}")
    push(ecr, endpoint, store, second, f"{HOST}/images-dev:dev1")
    with pytest.raises(RegistryError, match="cannot be overwritten"):
        push(ecr, endpoint, store, second, f"{HOST}/images-dev:v1")
    described = ecr.call("DescribeRepositories", {})["repositories"][0]
    assert described["imageTagMutabilityExclusionFilters"] == setting["imageTagMutabilityExclusionFilters"]


def test_images_are_described_by_whether_they_are_tagged(ecr: Ecr, endpoint: str, tmp_path: Path) -> None:
    store, first = small_image(tmp_path)
    push(ecr, endpoint, store, first)
    for status, count in (("TAGGED", 1), ("UNTAGGED", 0), ("ANY", 1)):
        found = ecr.call("DescribeImages", {"repositoryName": "images-dev", "filter": {"tagStatus": status}})
        assert len(found["imageDetails"]) == count, status
