"""Uploads a build's artifact to S3, encrypted with the project's key."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_aws.services.codebuild.archives import pack, select
from local_aws.services.codebuild.build_request import BuildRequest
from local_aws.services.codebuild.buildspec import FileSet
from local_aws.services.codebuild.shapes import BuildArtifactsShape


class ArtifactUpload:
    """Uploads the artifact of one build, with the settings of the request's `artifacts`."""

    def __init__(self, s3: Any, request: BuildRequest, build_id: str) -> None:
        self.s3 = s3
        self.settings = request.artifacts
        self.encryption: dict[str, str] = {}
        if request.encryption_key and not self.settings.get("encryptionDisabled"):
            self.encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": request.encryption_key}
        self.build_id = build_id

    def upload(self, source: Path, file_set: FileSet, log: Callable[[str], None]) -> BuildArtifactsShape:
        """Upload the files of the buildspec's `artifacts`; raises `FilesError` when there are none."""
        log(f"Expanding base directory path: {file_set.base_directory}")
        log("Assembling file list")
        files, unmatched = select(source, file_set)
        for pattern in unmatched:
            log(f"Skipping invalid file path {pattern}")
        log(f"Found {len(files)} file(s)")
        key = self._key(file_set.name)
        bucket = self.settings.get("location", "")
        uploaded = BuildArtifactsShape(
            location=f"arn:aws:s3:::{bucket}/{key}",
            encryptionDisabled=bool(self.settings.get("encryptionDisabled", False)),
        )
        if self.settings.get("packaging", "NONE") == "ZIP":
            body = pack(files)
            self.s3.put_object(Bucket=bucket, Key=key, Body=body, **self.encryption)
            uploaded["md5sum"] = hashlib.md5(body, usedforsecurity=False).hexdigest()
            uploaded["sha256sum"] = hashlib.sha256(body).hexdigest()
            return uploaded
        for name, path in sorted(files.items()):
            file_key = f"{key}/{name}".lstrip("/")
            self.s3.put_object(Bucket=bucket, Key=file_key, Body=path.read_bytes(), **self.encryption)
        return uploaded

    def _key(self, buildspec_name: str | None) -> str:
        settings = self.settings
        parts = [settings.get("path", "").strip("/")]
        if settings.get("namespaceType", "NONE") == "BUILD_ID":
            parts.append(self.build_id.rpartition(":")[2])
        overrides = settings.get("overrideArtifactName", False) and buildspec_name
        parts.append(overrides or settings.get("name", ""))
        return "/".join(part for part in parts if part and part != "/")
