"""A client of the Docker Registry HTTP API V2, for ECR and public ECR at the gateway's port."""

import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin

from local_aws.containers.images.store import LAYER_TYPE, MANIFEST_TYPE, Image, ImageStore, file_digest

_HOST = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com\Z")
_CHUNK = 4 << 20
PUBLIC_HOST = "public.ecr.aws"
PLATFORM = "linux/amd64"


class RegistryError(Exception):
    """A registry returned an error. `reason` is the short form at the end of a pull error."""

    def __init__(self, code: str, message: str, status: int, reason: str) -> None:
        super().__init__(message)
        self.code, self.status, self.reason = code, status, reason


@dataclass(frozen=True)
class Reference:
    """An image's name: registry host, repository, and a tag or a digest."""

    host: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Parse a reference. The default tag is `latest`, the default host is Docker Hub's."""
        name, _, digest = text.partition("@")
        first, slash, rest = name.partition("/")
        named = slash and ("." in first or ":" in first or first == "localhost")
        host, path = (first, rest) if named else ("docker.io", name)
        repository, _, tag = path.partition(":")
        return cls(host, repository, tag or ("" if digest else "latest"), digest)

    @property
    def name(self) -> str:
        """The repository with its host."""
        return f"{self.host}/{self.repository}"

    @property
    def account(self) -> str:
        """The account of an ECR registry: the first part of its host."""
        return self.host.partition(".")[0]

    def at(self, host: str) -> str:
        """Return the image's name at another host; without the tag beside a digest, as podman requires."""
        return str(replace(self, host=host, tag="" if self.digest else self.tag))

    def __str__(self) -> str:
        name = f"{self.name}:{self.tag}" if self.tag else self.name
        return f"{name}@{self.digest}" if self.digest else name


def is_ecr(host: str) -> bool:
    """Return whether a host is a private ECR registry, which the gateway serves."""
    return _HOST.match(host) is not None


class _Connection:
    """Requests about one image at the gateway. `login` is `user:password`, or None to send no credentials."""

    def __init__(self, base: str, reference: Reference, login: str | None) -> None:
        self.base = base
        self.reference = reference
        self.login = login
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def _request(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        request = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310 - the gateway
        if self.login is not None:
            request.add_header("Authorization", f"Basic {base64.b64encode(self.login.encode()).decode()}")
        try:
            with self._opener.open(request, timeout=120) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            raise self._registry_error(error, method) from error

    def _registry_error(self, error: urllib.error.HTTPError, method: str) -> RegistryError:
        text = error.read().decode(errors="replace")
        try:
            first = json.loads(text)["errors"][0]
            code, message = str(first["code"]), str(first["message"])
        except (ValueError, KeyError, IndexError):
            code, message = "", text or str(error.reason)
        if error.code == 404:
            return RegistryError(code, message, 404, f"{self.reference}: not found")
        if error.code == 401:
            return RegistryError(code, "no basic auth credentials", 401, f"{method}: 401 Unauthorized")
        if error.code == 429:
            return RegistryError(code, f"toomanyrequests: {message}", 429, f"toomanyrequests: {message}")
        return RegistryError(code, message, error.code, f"unexpected status: {error.code} {error.reason}")


class PlatformError(RegistryError):
    """An image has no manifest for the platform of tasks and builds."""

    def __init__(self) -> None:
        reason = f"image Manifest does not contain descriptor matching platform '{PLATFORM}'"
        super().__init__("MANIFEST_UNKNOWN", f"no matching manifest for {PLATFORM}", 404, reason)


class PublicRegistry(_Connection):
    """The registry public.ecr.aws. The gateway checks logins and limits pulls, but has none of its images."""

    def __init__(self, endpoint: str, reference: Reference, login: str | None = None) -> None:
        super().__init__(f"{endpoint}/v2/{PUBLIC_HOST}/", reference, login)

    def ping(self) -> None:
        """Check the login. Raises `RegistryError` if the registry rejects it."""
        # The gateway takes /v2/ for the private registries.
        self._request("GET", f"{self.base}tags/list")

    def find(self) -> None:
        """Ask for the manifest, as a pull does. Raises `RegistryError`."""
        wanted = self.reference.digest or self.reference.tag
        self._request("GET", f"{self.base}{self.reference.repository}/manifests/{wanted}")


class Registry(_Connection):
    """One repository of ECR at the gateway."""

    def __init__(self, endpoint: str, reference: Reference, login: str | None = None) -> None:
        if not is_ecr(reference.host):
            raise RegistryError("NAME_UNKNOWN", f"{reference}: not found", 404, f"{reference}: not found")
        super().__init__(f"{endpoint}/v2/", reference, login)
        self.endpoint = endpoint
        self.path = f"{reference.account}/{reference.repository}/"

    def ping(self) -> None:
        """Check the login. Raises `RegistryError` if the registry rejects it."""
        self._request("GET", self.base)

    def pull(self, store: ImageStore) -> Image:
        """Fetch the image into `store`: only missing blobs, each verified by its digest."""
        wanted = self.reference.digest or self.reference.tag
        _, _, body = self._request(
            "GET", f"{self.base}{self.path}manifests/{wanted}", headers={"Accept": MANIFEST_TYPE}
        )
        digest = store.put(body)
        if wanted.startswith("sha256:") and digest != wanted:
            raise RegistryError("DIGEST_INVALID", f"{wanted} has other content", 502, "unexpected digest")
        content = json.loads(body)
        if "manifests" in content:
            chosen = replace(self.reference, tag="", digest=_of_platform(content["manifests"]))
            return Registry(self.endpoint, chosen, self.login).pull(store)
        for blob in (*content["layers"], content["config"]):
            self._fetch(store, blob)
        return store.image(content["config"]["digest"])

    def _fetch(self, store: ImageStore, blob: Mapping[str, Any]) -> None:
        if store.blob(blob["digest"]).exists():
            return
        if blob["mediaType"].endswith("gzip"):
            raise RegistryError(
                "UNSUPPORTED", f"local_aws (processes) reads no {blob['mediaType']}", 415, "gzip"
            )
        _, _, body = self._request("GET", f"{self.base}{self.path}blobs/{blob['digest']}")
        with store.scratch() as folder:
            path = folder / "blob"
            path.write_bytes(body)
            if file_digest(path) != blob["digest"]:
                raise RegistryError(
                    "DIGEST_INVALID", f"{blob['digest']} is damaged", 502, "unexpected digest"
                )
            store.adopt(path)

    def push(self, store: ImageStore, image: Image, on_line: Callable[[str], None]) -> tuple[str, int]:
        """Push an image under the reference's tag. Return the manifest's digest and size."""
        manifest = store.manifest(image)
        content = json.loads(manifest)
        for blob in (*content["layers"], content["config"]):
            exists = self._has(blob["digest"])
            if not exists:
                self._upload(store, blob["digest"])
            if blob["mediaType"] == LAYER_TYPE:
                on_line(f"{blob['digest'][7:19]}: {'Layer already exists' if exists else 'Pushed'}")
        _, headers, _ = self._request(
            "PUT",
            f"{self.base}{self.path}manifests/{self.reference.tag}",
            manifest,
            {"Content-Type": MANIFEST_TYPE},
        )
        return headers["Docker-Content-Digest"], len(manifest)

    def _has(self, digest: str) -> bool:
        try:
            self._request("HEAD", f"{self.base}{self.path}blobs/{digest}")
        except RegistryError as error:
            # A response to HEAD has no body: the upload that follows reports an unknown repository.
            if error.status == 404:
                return False
            raise
        return True

    def _upload(self, store: ImageStore, digest: str) -> None:
        _, headers, _ = self._request("POST", f"{self.base}{self.path}blobs/uploads/")
        place = urljoin(self.base, headers["Location"])
        with store.blob(digest).open("rb") as file:
            while chunk := file.read(_CHUNK):
                kind = {"Content-Type": "application/octet-stream"}
                _, headers, _ = self._request("PATCH", place, chunk, kind)
                place = urljoin(self.base, headers["Location"])
        self._request("PUT", f"{place}?digest={digest}")


def _of_platform(manifests: list[Mapping[str, Any]]) -> str:
    """Return the digest of an index's manifest for `PLATFORM`. Raises `PlatformError`."""
    for each in manifests:
        platform = each.get("platform", {})
        if f"{platform.get('os')}/{platform.get('architecture')}" == PLATFORM:
            return str(each["digest"])
    raise PlatformError
