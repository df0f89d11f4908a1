"""AWS::CodeCommit::Repository is created with its seed, updated and deleted."""

import io
import zipfile

import pytest

from local_aws.core.api import AwsError
from local_aws.core.context import Context
from local_aws.services.codecommit.resource_types import SEED_LIMIT
from local_aws.services.codecommit.service import CodeCommit
from unit_tests.local_aws.services.codecommit.fakes import FakeS3, commit


def seed_zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as files:
        files.writestr("buildspec.yml", "version: 0.2\n")
        script = zipfile.ZipInfo("tools/run.sh")
        script.external_attr = 0o100755 << 16
        files.writestr(script, "#!/bin/sh\n")
    return target.getvalue()


PROPERTIES = {
    "RepositoryName": "seeded",
    "Code": {"BranchName": "main", "S3": {"Bucket": "b", "Key": "k"}},
    "Tags": [{"Key": "environment", "Value": "dev"}],
}


def test_cloudformation_seeds_the_first_commit(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "client", lambda *_: FakeS3(seed_zip()))
    service = CodeCommit(context)
    resource_type = service.resource_types()["AWS::CodeCommit::Repository"]
    identifier, attributes = resource_type.create(PROPERTIES, "Repository", "stack-dev")
    assert attributes["CloneUrlHttp"] == "http://127.0.0.1:1/v1/repos/seeded"
    shown = service.call("GetRepository", {"repositoryName": "seeded"})["repositoryMetadata"]
    assert (shown["repositoryId"], shown["defaultBranch"]) == (identifier, "main")
    found = service.call("GetFile", {"repositoryName": "seeded", "filePath": "tools/run.sh"})
    assert found["fileMode"] == "EXECUTABLE"
    tags = service.call("ListTagsForResource", {"resourceArn": attributes["Arn"]})
    assert tags == {"tags": {"environment": "dev"}}
    resource_type.delete(identifier, PROPERTIES)
    assert service.call("ListRepositories", {}) == {"repositories": []}
    assert not list((context.state / "codecommit").iterdir())


def test_an_invalid_seed_creates_no_repository(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    service = CodeCommit(context)
    resource_type = service.resource_types()["AWS::CodeCommit::Repository"]
    monkeypatch.setattr(context, "client", lambda *_: FakeS3(seed_zip(), SEED_LIMIT + 1))
    with pytest.raises(AwsError, match="Code archive supplied cannot be more than 20 MB compressed"):
        resource_type.create(PROPERTIES, "Repository", "stack-dev")
    monkeypatch.setattr(context, "client", lambda *_: FakeS3(b"no zip"))
    with pytest.raises(AwsError, match="not a zip"):
        resource_type.create(PROPERTIES, "Repository", "stack-dev")
    with pytest.raises(AwsError, match="not support the property"):
        resource_type.create({"RepositoryName": "x", "Colour": "red"}, "Repository", "stack-dev")
    assert service.call("ListRepositories", {}) == {"repositories": []}


def test_an_update_ignores_a_changed_seed_and_keeps_the_commits(codecommit: CodeCommit) -> None:
    first = commit(codecommit, "a", b"1")
    resource_type = codecommit.resource_types()["AWS::CodeCommit::Repository"]
    old = {"RepositoryName": "repository-dev"}
    new = {
        "RepositoryName": "renamed",
        "RepositoryDescription": "d",
        "Code": {"S3": {"Bucket": "x", "Key": "y"}},
    }
    assert resource_type.update is not None
    attributes = resource_type.update(codecommit.find("repository-dev").id, old, new)
    assert attributes["Name"] == "renamed"
    branch = codecommit.call("GetBranch", {"repositoryName": "renamed", "branchName": "main"})
    assert branch["branch"]["commitId"] == first
