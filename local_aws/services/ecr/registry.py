"""The Docker Registry HTTP API V2 of ECR's repositories, for `docker push` and `docker pull`."""

import asyncio
import base64
import binascii
import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError, Response
from local_aws.host.disk import is_full, no_space
from local_aws.services.ecr.records import DIGEST, ImageRepository, Login
from local_aws.services.ecr.state import EcrState

# The account may precede the repository's name.
_PATH = re.compile(
    r"/v2/(?:\d{12}/)?(?P<name>.+)/(?P<kind>blobs/uploads|blobs|manifests|tags)/(?P<reference>[^/]*)\Z"
)
# The action that each request needs permission for.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
ACTIONS = {
    ("HEAD", "blobs"): "ecr:BatchCheckLayerAvailability",
    ("GET", "blobs"): "ecr:GetDownloadUrlForLayer",
    ("POST", "uploads"): "ecr:InitiateLayerUpload",
    ("PATCH", "uploads"): "ecr:UploadLayerPart",
    ("PUT", "uploads"): "ecr:CompleteLayerUpload",
    ("HEAD", "manifests"): "ecr:BatchGetImage",
    ("GET", "manifests"): "ecr:BatchGetImage",
    ("PUT", "manifests"): "ecr:PutImage",
    ("GET", "tags"): "ecr:ListImages",
}
# The registry's codes for the errors of the API.
MANIFEST_ERRORS = {
    "InvalidParameterException": "MANIFEST_INVALID",
    "LayersNotFoundException": "MANIFEST_BLOB_UNKNOWN",
    "ReferencedImagesNotFoundException": "MANIFEST_BLOB_UNKNOWN",
    "ImageTagAlreadyExistsException": "TAG_INVALID",
}
_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


class RegistryApi:
    """The registry's HTTP API. Every request needs a password from GetAuthorizationToken."""

    def __init__(self, ecr: EcrState) -> None:
        self.ecr = ecr

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        """Answer one request (the signature of MiniStack's handlers)."""
        lower = {name.lower(): value for name, value in headers.items()}
        return await asyncio.to_thread(self.answer, method.upper(), path, lower, body, query)

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Response:
        """Answer one request; header names in lower case."""
        login = self._bearer(method, path, query) or self._login(headers)
        if not isinstance(login, Login):
            return login
        if path in ("/v2", "/v2/"):
            return 200, {**_VERSION, "Content-Type": "application/json"}, b"{}"
        match = _PATH.match(path)
        if match is None:
            return _error(404, "UNSUPPORTED", f"local_aws does not implement {method} {path}")
        kind = match["kind"].rpartition("/")[2]
        handler = getattr(self, f"_{method.lower()}_{kind}", None)
        if handler is None:
            return _error(405, "UNSUPPORTED", f"local_aws does not implement {method} of {kind}")
        try:
            with self.ecr.lock:
                repository = self.ecr.repository(match["name"])
        except AwsError as error:
            return _error(404, "NAME_UNKNOWN", error.message)
        try:
            self._authorize(login, ACTIONS.get((method, kind)), repository)
        except AwsError as error:
            return _error(403, "DENIED", error.message)
        try:
            response: Response = handler(repository, match["reference"], headers, body, query)
        except OSError as error:
            if not is_full(error):
                raise
            # A truncated upload cannot be continued, and its name must be free for the next attempt.
            self.ecr.blobs.upload(repository.name, match["reference"]).unlink(missing_ok=True)
            return _error(500, "UNKNOWN", no_space(error))
        return response

    def _authorize(self, login: Login, action: str | None, repository: ImageRepository) -> None:
        if action is not None:
            arn = self.ecr.context.arn("ecr", f"repository/{repository.name}")
            self.ecr.context.authorize(login.access_key, action, arn)

    def _path(self, repository: ImageRepository) -> str:
        return f"/v2/{self.ecr.context.account}/{repository.name}"

    def _bearer(self, method: str, path: str, query: Mapping[str, Any]) -> Login | None:
        """Return the login of a URL from GetDownloadUrlForLayer, which is good for that layer only."""
        given = query.get("token", "")
        token = given[0] if isinstance(given, list) else given
        return self.ecr.login(f"{method} {path} {token}") if token else None

    def _login(self, headers: Mapping[str, str]) -> Login | Response:
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        challenge = {"WWW-Authenticate": 'Basic realm="ecr",service="ecr.amazonaws.com"', **_VERSION}
        if scheme.lower() != "basic":
            return 401, challenge, b"Not Authorized"
        try:
            user, _, token = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return 401, challenge, b"Not Authorized"
        login = self.ecr.login(token) if user == "AWS" else None
        if login is None:
            text = "Your authorization token has expired. Reauthenticate and try again."
            return _error(401, "DENIED", text)
        return login

    # Blobs

    def _head_blobs(self, repository: ImageRepository, digest: str, *_: Any) -> Response:
        path = self.ecr.blobs.blob(repository.name, digest)
        if not DIGEST.match(digest) or not path.exists():
            return _error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        length = {"Content-Length": str(path.stat().st_size)}
        return 200, {**_VERSION, **length, "Docker-Content-Digest": digest}, b""

    def _get_blobs(self, repository: ImageRepository, digest: str, *rest: Any) -> Response:
        status, headers, body = self._head_blobs(repository, digest, *rest)
        if status == 200:
            body = self.ecr.blobs.blob(repository.name, digest).read_bytes()
        return status, {**headers, "Content-Type": "application/octet-stream"}, body

    def _post_uploads(self, repository: ImageRepository, *_: Any) -> Response:
        name = uuid.uuid4().hex
        self.ecr.blobs.upload(repository.name, name).touch()
        return self._uploading(repository, name)

    def _uploading(self, repository: ImageRepository, name: str) -> Response:
        size = self.ecr.blobs.upload(repository.name, name).stat().st_size
        headers = {
            "Location": f"{self._path(repository)}/blobs/uploads/{name}",
            "Range": f"0-{max(0, size - 1)}",
            "Docker-Upload-UUID": name,
        }
        return 202, {**_VERSION, **headers}, b""

    def _patch_uploads(
        self, repository: ImageRepository, name: str, _headers: Mapping[str, str], body: bytes, *_: Any
    ) -> Response:
        if not self._upload_exists(repository, name):
            return _error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        with self.ecr.blobs.upload(repository.name, name).open("ab") as file:
            file.write(body)
        return self._uploading(repository, name)

    def _put_uploads(
        self,
        repository: ImageRepository,
        name: str,
        _headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],
    ) -> Response:
        if not self._upload_exists(repository, name):
            return _error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        self._patch_uploads(repository, name, {}, body)
        given = query.get("digest", "")
        digest = given[0] if isinstance(given, list) else given
        if not self.ecr.blobs.finish(repository.name, name, digest):
            return _error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        location = {"Location": f"{self._path(repository)}/blobs/{digest}", "Docker-Content-Digest": digest}
        return 201, {**_VERSION, **location}, b""

    def _upload_exists(self, repository: ImageRepository, name: str) -> bool:
        is_name = bool(re.fullmatch(r"[0-9a-f]{32}", name))
        return is_name and self.ecr.blobs.upload(repository.name, name).exists()

    # Manifests

    def _put_manifests(
        self, repository: ImageRepository, reference: str, headers: Mapping[str, str], body: bytes, *_: Any
    ) -> Response:
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        tag = None if reference.startswith("sha256:") else reference
        if tag is None and reference != digest:
            return _error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        kind = headers.get("content-type", "application/vnd.docker.distribution.manifest.v2+json")
        try:
            with self.ecr.lock:
                self.ecr.put_manifest(repository, body, kind, tag)
        except AwsError as error:
            return _error(400, MANIFEST_ERRORS[error.code], error.message)
        location = f"{self._path(repository)}/manifests/{digest}"
        return 201, {**_VERSION, "Location": location, "Docker-Content-Digest": digest}, b""

    def _get_manifests(self, repository: ImageRepository, reference: str, *_: Any) -> Response:
        key = "imageDigest" if reference.startswith("sha256:") else "imageTag"
        digest = repository.find({key: reference})
        if digest is None:
            return _error(404, "MANIFEST_UNKNOWN", "Requested image not found")
        image = repository.images[digest]
        about = {"Content-Type": image.media_type, "Docker-Content-Digest": digest}
        return 200, {**_VERSION, **about, "Content-Length": str(len(image.manifest))}, image.manifest

    def _head_manifests(self, repository: ImageRepository, reference: str, *rest: Any) -> Response:
        status, headers, _ = self._get_manifests(repository, reference, *rest)
        return status, headers, b""

    def _get_tags(self, repository: ImageRepository, reference: str, *_: Any) -> Response:
        if reference != "list":
            return _error(404, "UNSUPPORTED", f"local_aws does not implement tags/{reference}")
        tags = sorted({tag for image in repository.images.values() for tag in image.tags})
        content = json.dumps({"name": repository.name, "tags": tags}).encode()
        return 200, {**_VERSION, "Content-Type": "application/json"}, content


def _error(status: int, code: str, message: str) -> Response:
    content = {"errors": [{"code": code, "message": message}]}
    return status, {**_VERSION, "Content-Type": "application/json"}, json.dumps(content).encode()
