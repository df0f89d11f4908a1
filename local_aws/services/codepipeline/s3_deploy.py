"""The deploy action S3: uploads an artifact to a bucket, or each of its files.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
"""

import io
import mimetypes
import zipfile
from typing import Any

from local_aws.services.codepipeline.action_context import ActionContext
from local_aws.services.codepipeline.artifacts import read
from local_aws.services.codepipeline.errors import ActionFailedError


def run_s3_deploy(action: ActionContext) -> None:
    """Upload the artifact as the action's role."""
    configuration = action.configuration
    s3, bucket, key = action.client("s3"), configuration["BucketName"], configuration.get("ObjectKey", "")
    content, settings = read(s3, action.run.inputs[0]), _settings(configuration)
    if configuration["Extract"].lower() == "true":
        for name, text in _files(content):
            path = f"{key.strip('/')}/{name}".lstrip("/")
            kind = mimetypes.guess_type(name)[0]
            typed = {"ContentType": kind} if kind else {}
            s3.put_object(Bucket=bucket, Key=path, Body=text, **settings, **typed)
    elif not key:
        raise ActionFailedError("ConfigurationError", "ObjectKey is required if Extract is false")
    else:
        s3.put_object(Bucket=bucket, Key=key, Body=content, **settings)
    action.update(summary="Deployment Succeeded")


def _settings(configuration: dict[str, str]) -> dict[str, Any]:
    members = {"CannedACL": "ACL", "CacheControl": "CacheControl", "KMSEncryptionKeyARN": "SSEKMSKeyId"}
    given = {member: configuration[key] for key, member in members.items() if key in configuration}
    return given | ({"ServerSideEncryption": "aws:kms"} if "SSEKMSKeyId" in given else {})


def _files(content: bytes) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            return [(info.filename, bundle.read(info)) for info in bundle.infolist() if not info.is_dir()]
    except zipfile.BadZipFile as error:
        raise ActionFailedError("JobFailed", f"The artifact is not a zip file: {error}") from error
