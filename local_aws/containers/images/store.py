"""Stores images on this machine: content-addressed blobs, a cache of layers, unpacked file systems."""

import fcntl
import hashlib
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from local_aws.containers.images import layers, venvs
from local_aws.containers.images.config import BASE_CONFIG, ImageConfig
from local_aws.host.interpreters import find_python

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
# How many unpacked file systems stay, and for how long any does after its last use: a build, whose `docker`
# runs images in a process of its own, takes an hour by default.
UNPACKED, UNUSED_SECONDS = 20, 3600.0


class RootFs(TypedDict):
    """The layers of an image, by the digests of their content."""

    type: str
    diff_ids: list[str]


class HistoryEntry(TypedDict):
    """One step of the build of an image."""

    created: str
    created_by: str
    empty_layer: NotRequired[bool]


class ImageContent(TypedDict):
    """The configuration of an image, as https://github.com/opencontainers/image-spec/blob/main/config.md."""

    architecture: str
    os: str
    created: str
    config: NotRequired[dict[str, Any]]
    rootfs: RootFs
    history: list[HistoryEntry]


@dataclass(frozen=True)
class Image:
    """An image of this store: its id (the digest of its configuration) and the configuration."""

    id: str
    content: ImageContent

    @property
    def config(self) -> ImageConfig:
        """How the image runs."""
        return ImageConfig.from_json(self.content.get("config") or {})

    @property
    def layers(self) -> list[str]:
        """The digests of its layers, the base's first."""
        return list(self.content["rootfs"]["diff_ids"])


class ImageStore:
    """Images in one folder. Every build and task of this local_aws shares it, from several processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("blobs", "cache", "rootfs", "work"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def blob(self, digest: str) -> Path:
        """Return the path of a blob, whether it exists or not."""
        return self.root / "blobs" / digest.removeprefix("sha256:")

    def put(self, data: bytes) -> str:
        """Store `data` as a blob and return its digest."""
        with self.scratch() as folder:
            path = folder / "blob"
            path.write_bytes(data)
            return self.adopt(path)

    def adopt(self, path: Path) -> str:
        """Move a file from a scratch folder into the blobs and return its digest."""
        digest = file_digest(path)
        path.replace(self.blob(digest))
        return digest

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Create a folder on the store's file system and remove it afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self.root / "work"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def image(self, image_id: str) -> Image:
        """Return the image of an id. Raises `KeyError` if the store does not have it."""
        path = self.blob(image_id)
        if not path.exists():
            raise KeyError(image_id)
        return Image(image_id, json.loads(path.read_bytes()))

    def make(self, config: ImageConfig, diff_ids: list[str], history: list[HistoryEntry]) -> Image:
        """Store an image of these layers. The same parts always give the same id."""
        content: ImageContent = {
            "architecture": "amd64",
            "os": "linux",
            "created": history[-1]["created"],
            "config": config.to_json(),
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": history,
        }
        return Image(self.put(json.dumps(content, sort_keys=True).encode()), content)

    def manifest(self, image: Image) -> bytes:
        """Return the OCI manifest of an image: the same bytes on every call."""
        config = {"mediaType": CONFIG_TYPE, "digest": image.id, "size": self.blob(image.id).stat().st_size}
        parts = [
            {"mediaType": LAYER_TYPE, "digest": digest, "size": self.blob(digest).stat().st_size}
            for digest in image.layers
        ]
        content = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": parts}
        return json.dumps(content, indent=1).encode()

    def base(self, version: str) -> Image:
        """Return the stand-in for `python:<version>-slim`, created once from this machine's Python."""
        python = find_python(version)
        with self.lock(f"base-{version}"):
            key = self.cache_key("FROM", version, str(python))
            base = self.cached(key)
            if base is None:
                with self.scratch() as folder:
                    base = {**self._make_base(folder, version), "created": timestamp()}
                self.cache(key, base)
        config = BASE_CONFIG.with_environment(PYTHON_VERSION=base["version"])
        step: HistoryEntry = {
            "created": base["created"],
            "created_by": f"local_aws: python {base['version']}",
        }
        return self.make(config, [base["layer"]], [step])

    def _make_base(self, folder: Path, version: str) -> dict[str, str]:
        root = folder / "rootfs"
        (root / "root").mkdir(parents=True)
        full = venvs.create(root, version)
        layers.write(folder / "layer", root, sorted(layers.snapshot(root)))
        return {"layer": self.adopt(folder / "layer"), "version": full}

    def unpack(self, image: Image) -> Path:
        """Return the image's unpacked file system. Containers of one image share it."""
        final = self.root / "rootfs" / image.id.removeprefix("sha256:")[:16]
        with self.lock(final.name):
            if not final.exists():
                self.unpack_to(image.layers, final)
            os.utime(final)
        return final

    def prune(self, used: Collection[Path]) -> None:
        """Remove the unpacked file systems that have not been used for long, and are not `used`."""

        def is_unused(root: Path) -> bool:
            return root not in used and time.time() - _last_use(root) > UNUSED_SECONDS

        roots = list((self.root / "rootfs").iterdir())
        for root in filter(is_unused, sorted(roots, key=_last_use)[:-UNPACKED]):
            with self.lock(root.name), self.scratch() as folder:
                # Another process may have unpacked it meanwhile.
                if is_unused(root):
                    # At once: whoever needs it again unpacks it again.
                    root.rename(folder / root.name)

    def unpack_to(self, diff_ids: list[str], final: Path) -> None:
        """Apply layers to the new folder `final`."""
        with self.scratch() as folder:
            root = folder / "rootfs"
            root.mkdir()
            for digest in diff_ids:
                layers.apply(self.blob(digest), root)
            venvs.localise(root, final)
            root.rename(final)

    def cache_key(self, *parts: str) -> str:
        """Return the key of a build step from all that its layer depends on, the parent's key first."""
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def cached(self, key: str) -> dict[str, str] | None:
        """Return the result of a build step, or None if it or its layer is not in the store."""
        path = self.root / "cache" / key
        if not path.exists():
            return None
        result: dict[str, str] = json.loads(path.read_text())
        return result if "layer" not in result or self.blob(result["layer"]).exists() else None

    def cache(self, key: str, result: Mapping[str, str]) -> None:
        """Store the result of a build step."""
        with self.scratch() as folder:
            path = folder / "result"
            path.write_text(json.dumps(dict(result)))
            path.replace(self.root / "cache" / key)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock that all processes of this store share."""
        descriptor = os.open(self.root / "work" / f"{name}.lock", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _last_use(root: Path) -> float:
    try:
        return root.stat().st_mtime
    except FileNotFoundError:
        # Another thread has removed it.
        return math.inf


def file_digest(path: Path) -> str:
    """Return the sha256 digest of a file as registries write it."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def timestamp() -> str:
    """Return the current time in the format of image configurations."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
