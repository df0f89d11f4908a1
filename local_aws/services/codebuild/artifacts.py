"""The upload of a build's output to S3, encrypted with the project's key."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from local_aws.services.codebuild.archives import pack, select
from local_aws.services.codebuild.buildspec import Files


class Output(Protocol):
    """What the upload needs of a build's request."""

    artifacts: dict[str, Any]
    encryption_key: str | None


class Artifacts:
    """Uploads as `artifacts` of the request says (API structure ProjectArtifacts), through `s3`."""

    def __init__(self, s3: Any, request: Output, build_id: str) -> None:
        self.s3 = s3
        self.settings = request.artifacts
        self.encryption: dict[str, str] = {}
        if request.encryption_key and not self.settings.get("encryptionDisabled"):
            self.encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": request.encryption_key}
        self.build_id = build_id

    def upload(self, source: Path, wanted: Files, say: Callable[[str], None]) -> dict[str, Any]:
        """Upload the files that the buildspec names and return the API's BuildArtifacts.

        Raises `FilesError` when there are none.
        """
        say(f"Expanding base directory path: {wanted.base_directory}")
        say("Assembling file list")
        found, missing = select(source, wanted)
        for pattern in missing:
            say(f"Skipping invalid file path {pattern}")
        say(f"Found {len(found)} file(s)")
        key = self._key(wanted.name)
        bucket = self.settings["location"]
        uploaded = {
            "location": f"arn:aws:s3:::{bucket}/{key}",
            "encryptionDisabled": bool(self.settings.get("encryptionDisabled", False)),
        }
        if self.settings.get("packaging", "NONE") == "ZIP":
            body = pack(found)
            self.s3.put_object(Bucket=bucket, Key=key, Body=body, **self.encryption)
            md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
            return uploaded | {"md5sum": md5, "sha256sum": hashlib.sha256(body).hexdigest()}
        for name, path in sorted(found.items()):
            place = f"{key}/{name}".lstrip("/")
            self.s3.put_object(Bucket=bucket, Key=place, Body=path.read_bytes(), **self.encryption)
        return uploaded

    def _key(self, name: str | None) -> str:
        given = self.settings
        parts = [given.get("path", "").strip("/")]
        if given.get("namespaceType", "NONE") == "BUILD_ID":
            parts.append(self.build_id.rpartition(":")[2])
        override = given.get("overrideArtifactName") and name
        parts.append(override or given.get("name", ""))
        return "/".join(part for part in parts if part and part != "/")
