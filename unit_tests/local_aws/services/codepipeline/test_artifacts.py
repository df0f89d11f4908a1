"""Artifacts are named and encrypted as on CodePipeline."""

import re

import pytest

from local_aws.services.codepipeline.artifacts import (
    Artifact,
    artifact_size,
    new_artifact,
    read_file,
    upload,
)
from local_aws.services.codepipeline.errors import ArtifactError
from unit_tests.local_aws.services.codepipeline.declarations import ACCOUNT_KEY
from unit_tests.local_aws.services.codepipeline.fakes import FakeS3, zipped


def test_a_key_is_20_characters_of_the_pipeline_10_of_the_artifact_and_7_random_ones() -> None:
    artifacts = [new_artifact("p" * 30, "SourceArtifact", "b") for _ in range(2)]
    assert re.fullmatch("p{20}/SourceArti/[A-Za-z0-9]{7}", artifacts[0].key)
    assert artifacts[0].key != artifacts[1].key
    assert f"{artifacts[0].folder}/{artifacts[0].file}" == artifacts[0].key


@pytest.mark.parametrize("key_id", [ACCOUNT_KEY, None])
def test_an_artifact_is_encrypted_with_the_stores_key_or_the_accounts(key_id: str | None) -> None:
    s3 = FakeS3()
    upload(s3, Artifact("A", "b", "k"), b"x", key_id)
    assert s3.objects["k"]["ServerSideEncryption"] == "aws:kms"
    assert s3.objects["k"].get("SSEKMSKeyId") == key_id


def test_a_file_is_read_out_of_the_zip() -> None:
    s3, artifact = FakeS3(), Artifact("A", "b", "k")
    upload(s3, artifact, zipped({"in/file.txt": "hello"}), None)
    assert read_file(s3, artifact, "./in/file.txt") == "hello"
    assert artifact_size(s3, artifact) > 5


@pytest.mark.parametrize("content", [zipped({"other": "x"}), b"no zip"])
def test_a_missing_file_and_a_broken_zip_are_errors(content: bytes) -> None:
    s3, artifact = FakeS3(), Artifact("BuildOutput", "b", "k")
    upload(s3, artifact, content, None)
    with pytest.raises(ArtifactError, match=r"file\.txt in the artifact BuildOutput"):
        read_file(s3, artifact, "file.txt")


def test_an_artifact_that_cannot_be_read_is_reported_with_awss_message() -> None:
    with pytest.raises(ArtifactError, match="Unable to access the artifact with Amazon S3 object key 'k'"):
        artifact_size(FakeS3(), Artifact("A", "b", "k"))


def test_a_refused_upload_is_reported_with_awss_message() -> None:
    s3 = FakeS3()
    s3.denied = True
    with pytest.raises(ArtifactError, match="The provided role does not have permissions to perform"):
        upload(s3, Artifact("A", "b", "k"), b"x", None)
