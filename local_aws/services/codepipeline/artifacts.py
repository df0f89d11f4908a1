"""A pipeline's artifacts in its S3 bucket, named and encrypted as CodePipeline does."""

import io
import secrets
import string
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local_aws.services.codepipeline.errors import ArtifactError

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Artifact:
    """An artifact's name and location; `revision` is the source revision that it was made from, if any."""

    name: str
    bucket: str
    key: str
    revision: str | None = None

    @property
    def location(self) -> str:
        """Return `bucket/key`, the format of an S3 source of CodeBuild."""
        return f"{self.bucket}/{self.key}"

    @property
    def folder(self) -> str:
        """Return the key up to its last part."""
        return self.key.rpartition("/")[0]

    @property
    def file(self) -> str:
        """Return the last part of the key."""
        return self.key.rpartition("/")[2]


def new_artifact(pipeline: str, name: str, bucket: str, revision: str | None = None) -> Artifact:
    """Return an artifact at a new key: 20 characters of the pipeline, 10 of the artifact, 7 random ones."""
    suffix = "".join(secrets.choice(_ALPHABET) for _ in range(7))
    return Artifact(name, bucket, f"{pipeline[:20]}/{name[:10]}/{suffix}", revision)


def upload(s3: Any, artifact: Artifact, content: bytes, key_id: str | None) -> None:
    """Upload `content`, encrypted with the artifact store's key, or else with the account's aws/s3 key."""
    key = {"SSEKMSKeyId": key_id} if key_id else {}
    try:
        s3.put_object(
            Bucket=artifact.bucket,
            Key=artifact.key,
            Body=content,
            ContentType="application/zip",
            ServerSideEncryption="aws:kms",
            **key,
        )
    except ClientError as error:
        raise ArtifactError(
            "The provided role does not have permissions to perform this action."
            f" Underlying error: {error.response['Error']['Message']}"
            f" (Service: Amazon S3; Error Code: {error.response['Error']['Code']})"
        ) from error


def artifact_size(s3: Any, artifact: Artifact) -> int:
    """Return an artifact's size in bytes without downloading it."""
    try:
        answer = s3.head_object(Bucket=artifact.bucket, Key=artifact.key)
    except ClientError as error:
        raise _access_error(artifact) from error
    return int(answer["ContentLength"])


def read(s3: Any, artifact: Artifact) -> bytes:
    """Return an artifact's zip; raises `ArtifactError`."""
    try:
        content: bytes = s3.get_object(Bucket=artifact.bucket, Key=artifact.key)["Body"].read()
    except ClientError as error:
        raise _access_error(artifact) from error
    return content


def read_file(s3: Any, artifact: Artifact, path: str) -> str:
    """Return the text of one file of a zipped artifact; raises `ArtifactError` if it is missing."""
    content = read(s3, artifact)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            return bundle.read(path.removeprefix("./")).decode()
    except (KeyError, ValueError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ArtifactError(f"Did not find the file {path} in the artifact {artifact.name}") from error


def _access_error(artifact: Artifact) -> ArtifactError:
    return ArtifactError(
        f"Unable to access the artifact with Amazon S3 object key '{artifact.key}' located in the Amazon S3"
        f" artifact bucket '{artifact.bucket}'. The provided role does not have sufficient permissions."
    )
