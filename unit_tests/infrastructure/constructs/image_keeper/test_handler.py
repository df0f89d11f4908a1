"""The image keeper: which images it tags, and that it never deletes one (pitfall F13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from infrastructure.constructs.image_keeper.function import handler as keeper

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/images-dev"
BOOTSTRAP = "public.ecr.aws/docker/library/python:3.9-slim"
TASK = "arn:aws:ecs:us-east-1:123456789012:task-definition/task-dev"
NOTHING: dict[str, list[str]] = {"tagged": [], "missing": [], "untagged": [], "detached": []}
EVENT = {"detail": {"deploymentId": "d-1"}}


class TagExistsError(Exception):
    """ImageAlreadyExistsException."""


class Exceptions:
    """The exceptions of the client of ECR."""

    ImageAlreadyExistsException = TagExistsError


def digest(number: int) -> str:
    return f"sha256:{number}{'0' * 63}"


@dataclass
class Aws:
    """ECS, CodeDeploy and ECR, as far as the keeper calls them; task definition N runs image N."""

    task_sets: list[int] = field(default_factory=list)
    deployments: dict[str, dict[str, int]] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    tags: dict[str, set[str]] = field(default_factory=dict)
    images: dict[int, str] = field(default_factory=dict)
    exceptions = Exceptions
    broken: bool = False
    # Pushed after the first page of the list.
    unlisted: tuple[str, ...] = ()
    deleted: list[str] = field(default_factory=list)

    def client(self, _service: str, **_given: Any) -> Aws:
        return self

    def describe_services(self, **_given: Any) -> Any:
        return {"services": [{"taskSets": [{"taskDefinition": f"{TASK}:{n}"} for n in self.task_sets]}]}

    def describe_task_definition(self, *, taskDefinition: str) -> Any:  # noqa: N803 - AWS's name
        number = int(taskDefinition.rpartition(":")[2])
        image = self.images.get(number, f"{REPOSITORY}@{digest(number)}")
        return {"taskDefinition": {"containerDefinitions": [{"image": image}]}}

    def get_deployment_group(self, **_given: Any) -> Any:
        return {"deploymentGroupInfo": {key: {"deploymentId": each} for key, each in self.last.items()}}

    def get_deployment(self, *, deploymentId: str) -> Any:  # noqa: N803 - AWS's name
        if self.broken:
            raise RuntimeError("throttled")
        found = self.deployments[deploymentId]
        return {"deploymentInfo": {key: {"sha256": str(number)} for key, number in found.items()}}

    def get_application_revision(self, *, revision: dict[str, str], **_given: Any) -> Any:
        text = f"Properties:\n  TaskDefinition: {TASK}:{revision['sha256']}\n"
        return {"revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": text}}}

    def get_paginator(self, _operation: str) -> Aws:
        return self

    def paginate(self, **_given: Any) -> Iterator[Any]:
        for each, tags in self.tags.items():
            yield {"imageIds": [{"imageDigest": each, "imageTag": one} for one in sorted(tags)]}

    def batch_get_image(self, *, imageIds: Any, **_given: Any) -> Any:  # noqa: N803 - AWS's name
        if imageIds[0]["imageDigest"] not in (*self.tags, *self.unlisted):
            return {"images": []}
        return {"images": [{"imageManifest": "{}", "imageManifestMediaType": "manifest"}]}

    def put_image(self, *, imageDigest: str, imageTag: str, **_given: Any) -> None:  # noqa: N803 - AWS's names
        if imageTag in self.tags[imageDigest]:
            raise TagExistsError
        self.tags[imageDigest].add(imageTag)

    def batch_delete_image(self, *, imageIds: Any, **_given: Any) -> None:  # noqa: N803 - AWS's name
        for each in imageIds:
            (holder,) = [one for one, tags in self.tags.items() if each["imageTag"] in tags]
            self.tags[holder].discard(each["imageTag"])
            self.deleted += [] if self.tags[holder] else [each["imageTag"]]
            assert self.tags[holder] or ".sig" in each["imageTag"], "ECR deletes an image with its last tag"

    def kept(self) -> set[int]:
        """Return the numbers of the images with a tag of the keeper."""
        return {int(each[7]) for each, tags in self.tags.items() if any("in-use-" in one for one in tags)}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    found = Aws(tags={digest(number): {f"commit-{number}"} for number in range(1, 6)}, images={9: BOOTSTRAP})
    monkeypatch.setattr(boto3, "client", found.client)
    for name in ("CLUSTER", "SERVICE", "APPLICATION", "DEPLOYMENT_GROUP"):
        monkeypatch.setenv(name, name.lower())
    monkeypatch.setenv("IMAGE_REPOSITORY_URI", REPOSITORY)
    return found


def test_before_the_first_release_nothing_is_tagged(aws: Aws) -> None:
    """The bootstrap server's image is not ours."""
    aws.task_sets = [9]
    assert keeper.handler({}, None) == NOTHING


def signature(number: int) -> str:
    return f"sha256-{digest(number)[7:]}.sig"


def test_a_signature_is_deleted_after_its_image_and_not_before(aws: Aws) -> None:
    aws.tags |= {digest(8): {signature(1)}, digest(9): {signature(7)}}
    assert keeper.handler({}, None)["detached"] == [signature(7)]
    assert aws.deleted == [signature(7)]


def test_the_signature_of_an_image_that_is_not_listed_yet_is_kept(aws: Aws) -> None:
    aws.tags[digest(9)], aws.unlisted = {signature(7)}, (digest(7),)
    assert keeper.handler({}, None)["detached"] == []
    assert aws.deleted == []


def test_every_task_set_keeps_its_image(aws: Aws) -> None:
    aws.task_sets = [9, 1, 2]
    keeper.handler({}, None)
    assert aws.kept() == {1, 2}


def test_a_deployment_that_begins_keeps_its_image_before_it_has_a_task_set(aws: Aws) -> None:
    aws.task_sets, aws.deployments = [1], {"d-1": {"revision": 2}}
    keeper.handler(EVENT, None)
    assert aws.kept() == {1, 2}


def test_the_last_two_successful_deployments_keep_their_images(aws: Aws) -> None:
    aws.task_sets = [3]
    aws.deployments = {
        "d-1": {"revision": 4, "previousRevision": 3},
        "d-0": {"revision": 3, "previousRevision": 2},
    }
    aws.last = {"lastAttemptedDeployment": "d-1", "lastSuccessfulDeployment": "d-0"}
    keeper.handler({}, None)
    assert aws.kept() == {2, 3, 4}


def test_an_image_that_is_no_longer_in_use_loses_its_tag_and_stays(aws: Aws) -> None:
    aws.task_sets = [1]
    keeper.handler({}, None)
    aws.task_sets = [2]
    result = keeper.handler({}, None)
    assert aws.kept() == {2}
    assert result["untagged"] == [digest(1)]
    assert aws.tags[digest(1)] == {"commit-1"}


def test_an_image_without_another_tag_keeps_its_tag(aws: Aws) -> None:
    """ECR would delete it with its last tag."""
    aws.tags[digest(1)] = {"in-use-1"}
    assert keeper.handler({}, None)["untagged"] == []
    assert aws.tags[digest(1)] == {"in-use-1"}


def test_a_second_run_changes_nothing(aws: Aws) -> None:
    aws.task_sets = [1, 2]
    keeper.handler({}, None)
    before = json.dumps({each: sorted(tags) for each, tags in aws.tags.items()})
    assert keeper.handler({}, None) == NOTHING
    assert json.dumps({each: sorted(tags) for each, tags in aws.tags.items()}) == before


def test_an_error_leaves_what_runs_tagged_and_removes_nothing(aws: Aws) -> None:
    aws.task_sets = [1]
    keeper.handler({}, None)
    aws.task_sets, aws.broken = [2], True
    with pytest.raises(RuntimeError, match="throttled"):
        keeper.handler(EVENT, None)
    assert aws.kept() == {1, 2}


def test_an_image_that_is_gone_is_reported(aws: Aws) -> None:
    aws.task_sets = [1, 8]
    assert keeper.handler({}, None)["missing"] == [digest(8)]


def test_a_revision_without_a_task_definition_is_an_error(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.deployments = {"d-1": {"revision": 1}}
    monkeypatch.setattr(aws, "get_application_revision", lambda **_: {"revision": {"revisionType": "S3"}})
    with pytest.raises(ValueError, match="names no task definition"):
        keeper.handler(EVENT, None)
