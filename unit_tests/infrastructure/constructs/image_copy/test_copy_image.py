"""The program that copies an image by its digest, and the one line in which it fails."""

from __future__ import annotations

import hashlib
import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from infrastructure.constructs.image_copy import copy_image as program

SOURCE = "111111111111.dkr.ecr.us-east-1.amazonaws.com/images-dev"
TARGET = "222222222222.dkr.ecr.us-east-1.amazonaws.com/images-staging"
COMMIT = "c" * 40
LAYERS = {f"sha256:{hashlib.sha256(content).hexdigest()}": content for content in (b"config", b"a", b"bcd")}
MANIFEST = json.dumps({"config": {"digest": next(iter(LAYERS))}, "layers": [{"digest": d} for d in LAYERS]})
DIGEST = f"sha256:{hashlib.sha256(MANIFEST.encode()).hexdigest()}"


class Ecr:
    """Two repositories, as far as the program calls them; `refuse` is the error of PutImage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images: dict[str, str] = {f"imageDigest={DIGEST}": MANIFEST}
        self.copied: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        self.refuse = ""
        self.uploads = count()

    def call(self, repository: program.Repository, operation: str, *arguments: str) -> Any:
        """Answer a call; a missing handler fails the test."""
        given = dict(zip(arguments[::2], arguments[1::2], strict=False))
        return getattr(self, operation.replace("-", "_"))(repository.uri, given, arguments)

    def batch_get_image(self, uri: str, given: dict[str, str], _all: tuple[str, ...]) -> Any:
        assert uri == SOURCE
        manifest = self.images.get(given["--image-ids"])
        if manifest is None:
            return {"images": []}
        named = {"imageDigest": f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"}
        return {
            "images": [{"imageId": named, "imageManifest": manifest, "imageManifestMediaType": "manifest"}]
        }

    def batch_check_layer_availability(self, uri: str, _given: Any, arguments: tuple[str, ...]) -> Any:
        assert uri == TARGET
        states = {each: "AVAILABLE" if each in self.copied else "UNAVAILABLE" for each in arguments[1:]}
        return {"layers": [{"layerDigest": k, "layerAvailability": v} for k, v in states.items()]}

    def get_download_url_for_layer(self, uri: str, given: dict[str, str], _all: Any) -> Any:
        assert uri == SOURCE
        path = self.folder / given["--layer-digest"][7:]
        path.write_bytes(LAYERS[given["--layer-digest"]])
        return {"downloadUrl": path.as_uri()}

    def initiate_layer_upload(self, uri: str, _given: Any, _all: Any) -> Any:
        assert uri == TARGET
        upload = f"upload-{next(self.uploads)}"
        (self.folder / upload).touch()
        return {"uploadId": upload}

    def upload_layer_part(self, _uri: str, given: dict[str, str], _all: Any) -> Any:
        path = self.folder / given["--upload-id"]
        part = Path(given["--layer-part-blob"].removeprefix("fileb://")).read_bytes()
        first, last = int(given["--part-first-byte"]), int(given["--part-last-byte"])
        assert (first, last - first + 1) == (path.stat().st_size, len(part))
        with path.open("ab") as file:
            file.write(part)
        return {}

    def complete_layer_upload(self, _uri: str, given: dict[str, str], _all: Any) -> Any:
        content = (self.folder / given["--upload-id"]).read_bytes()
        assert content == LAYERS[given["--layer-digests"]]
        self.copied[given["--layer-digests"]] = content
        return {}

    def put_image(self, uri: str, given: dict[str, str], _all: Any) -> Any:
        assert uri == TARGET
        if self.refuse:
            raise program.EcrError(f"An error occurred ({self.refuse}) when calling the PutImage operation")
        manifest = Path(given["--image-manifest"].removeprefix("file://")).read_bytes()
        assert given["--image-digest"] == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        self.tags[given["--image-tag"]] = given["--image-digest"]
        return {}


@pytest.fixture
def ecr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ecr:
    found = Ecr(tmp_path)
    monkeypatch.setattr(program.Repository, "call", lambda *given: found.call(*given))
    monkeypatch.setattr(program, "PART_BYTES", 2)
    monkeypatch.setenv("TARGET_REPOSITORY_URI", TARGET)
    monkeypatch.setenv("COMMIT", COMMIT)
    monkeypatch.chdir(tmp_path)
    Path("imageDetail.json").write_text(json.dumps({"ImageURI": f"{SOURCE}@{DIGEST}"}))
    return found


def test_the_copy_has_the_same_digest_and_a_tag_of_the_commit_and_the_image(ecr: Ecr) -> None:
    program.main()
    assert ecr.copied == LAYERS
    assert ecr.tags == {f"commit-{COMMIT}-{DIGEST[7:19]}": DIGEST}
    assert json.loads(Path("imageDetail.json").read_text()) == {"ImageURI": f"{TARGET}@{DIGEST}"}


def test_the_signature_and_the_provenance_are_copied_with_the_image(ecr: Ecr) -> None:
    attached = {
        f"sha256-{DIGEST[7:]}{end}": f"{MANIFEST}{' ' * number}" for number, end in ((1, ".sig"), (2, ".att"))
    }
    ecr.images |= {f"imageTag={tag}": manifest for tag, manifest in attached.items()}
    program.main()
    for tag, manifest in attached.items():
        assert ecr.tags[tag] == f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    assert len(ecr.tags) == 3


def test_only_missing_layers_are_copied(ecr: Ecr, capsys: pytest.CaptureFixture[str]) -> None:
    ecr.copied = dict(list(LAYERS.items())[:2])
    program.main()
    assert "1 of 3 layers were copied" in capsys.readouterr().out


def test_an_image_that_is_there_already_is_fine(ecr: Ecr) -> None:
    ecr.refuse = "ImageAlreadyExistsException"
    program.main()
    assert TARGET in Path("imageDetail.json").read_text()


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ("ImageTagAlreadyExistsException", f"images-staging has another image commit-{COMMIT}"),
        ("AccessDeniedException", "AccessDeniedException"),
    ],
)
def test_a_copy_that_ecr_refuses_fails_in_one_line(ecr: Ecr, refused: str, words: str) -> None:
    ecr.refuse = refused
    with pytest.raises(SystemExit) as caught:
        program.main()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SOURCE in Path("imageDetail.json").read_text()


def test_an_image_that_expired_meanwhile_says_what_to_do(ecr: Ecr) -> None:
    """After a long approval."""
    ecr.images.clear()
    with pytest.raises(SystemExit, match=r"is no longer in images-dev: reject this release and promote"):
        program.main()


def test_a_failed_call_of_the_cli_has_ecrs_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    aws = tmp_path / "aws"
    aws.write_text(
        "#!/bin/sh\necho 'An error occurred (RepositoryNotFoundException) when calling' >&2\nexit 254\n"
    )
    aws.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(program.EcrError) as caught:
        program.Repository(TARGET).call("initiate-layer-upload")
    assert caught.value.code == "RepositoryNotFoundException"
