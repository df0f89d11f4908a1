"""The images on this machine: content-addressed blobs, the cache of layers, unpacked file systems."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_aws.containers.images import layers, venvs
from local_aws.containers.images.config import PATH, ImageConfig
from local_aws.host.interpreters import find_python

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Image:
    """An image of this store: its id (the digest of its configuration) and the configuration."""

    id: str
    content: Mapping[str, Any]

    @property
    def config(self) -> ImageConfig:
        """How the image runs."""
        return ImageConfig.from_json(self.content.get("config") or {})

    @property
    def layers(self) -> list[str]:
        """The digests of its layers, the base's first."""
        return list(self.content["rootfs"]["diff_ids"])


class ImageStore:
    """Images under one folder, shared by every build and task of this local_aws (processes may share it)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("blobs", "cache", "rootfs", "work"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def blob(self, digest: str) -> Path:
        """Return where the blob of `digest` lies, or would lie."""
        return self.root / "blobs" / digest.removeprefix("sha256:")

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest."""
        with self.scratch() as folder:
            path = folder / "blob"
            path.write_bytes(data)
            return self.adopt(path)

    def adopt(self, path: Path) -> str:
        """Move a file of this store's scratch folder in and return its digest."""
        digest = file_digest(path)
        path.replace(self.blob(digest))
        return digest

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a folder on the store's own file system, removed afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self.root / "work"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def image(self, image_id: str) -> Image:
        """Return the image of an id; raises `KeyError` when the store has none."""
        path = self.blob(image_id)
        if not path.exists():
            raise KeyError(image_id)
        return Image(image_id, json.loads(path.read_bytes()))

    def make(self, config: ImageConfig, diff_ids: list[str], history: list[Mapping[str, Any]]) -> Image:
        """Keep an image of these layers; the same parts always make the same id."""
        content = {
            "architecture": "amd64",
            "os": "linux",
            "created": history[-1]["created"],
            "config": config.to_json(),
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": history,
        }
        return Image(self.put(json.dumps(content, sort_keys=True).encode()), content)

    def manifest(self, image: Image) -> bytes:
        """Return the OCI manifest of an image, the same bytes each time."""
        config = {"mediaType": CONFIG_TYPE, "digest": image.id, "size": self.blob(image.id).stat().st_size}
        parts = [
            {"mediaType": LAYER_TYPE, "digest": digest, "size": self.blob(digest).stat().st_size}
            for digest in image.layers
        ]
        content = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": parts}
        return json.dumps(content, indent=1).encode()

    def base(self, version: str) -> Image:
        """Return the stand-in for `python:<version>-slim`, made once of this machine's Python."""
        python = find_python(version)
        with self.lock(f"base-{version}"):
            key = self.cache_key("FROM", version, str(python))
            known = self.cached(key)
            if known is None:
                with self.scratch() as folder:
                    known = {**self._make_base(folder, version), "created": timestamp()}
                self.remember(key, known)
        config = ImageConfig(
            {"PATH": PATH, "LANG": "C.UTF-8", "PYTHON_VERSION": known["version"]}, command=("python3",)
        )
        step = {"created": known["created"], "created_by": f"local_aws: python {known['version']}"}
        return self.make(config, [known["layer"]], [step])

    def _make_base(self, folder: Path, version: str) -> dict[str, str]:
        root = folder / "rootfs"
        (root / "root").mkdir(parents=True)
        full = venvs.create(root, version)
        layers.write(folder / "layer", root, sorted(layers.snapshot(root)))
        return {"layer": self.adopt(folder / "layer"), "version": full}

    def unpack(self, image: Image) -> Path:
        """Return the image's file system, ready to run; containers of one image share it."""
        final = self.root / "rootfs" / image.id.removeprefix("sha256:")[:16]
        with self.lock(final.name):
            if not final.exists():
                self.unpack_to(image.layers, final)
        return final

    def unpack_to(self, diff_ids: list[str], final: Path) -> None:
        """Lay the layers into the new folder `final`."""
        with self.scratch() as folder:
            root = folder / "rootfs"
            root.mkdir()
            for digest in diff_ids:
                layers.apply(self.blob(digest), root)
            venvs.localise(root, final)
            root.rename(final)

    def cache_key(self, *parts: str) -> str:
        """Return the key of a build step: all that its layer depends on, the parent's key first."""
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def cached(self, key: str) -> dict[str, str] | None:
        """Return what an earlier build step left under `key`, while its layer is still there."""
        path = self.root / "cache" / key
        if not path.exists():
            return None
        known: dict[str, str] = json.loads(path.read_text())
        return known if "layer" not in known or self.blob(known["layer"]).exists() else None

    def remember(self, key: str, known: Mapping[str, str]) -> None:
        """Keep the result of a build step."""
        with self.scratch() as folder:
            path = folder / "known"
            path.write_text(json.dumps(dict(known)))
            path.replace(self.root / "cache" / key)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock among all processes that use this store."""
        descriptor = os.open(self.root / "work" / f"{name}.lock", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def file_digest(path: Path) -> str:
    """Return the sha256 digest of a file as registries write it."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def timestamp() -> str:
    """Return the present moment as images note it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
