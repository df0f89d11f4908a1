"""The program that signs an image: what it signs, what it stores, and the one line in which it fails."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from infrastructure.constructs.image_signing import sign as program

DIGEST = f"sha256:{'ab' * 32}"
URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/images-dev"
COMMIT = "c" * 40
BUILD = "arn:aws:codebuild:us-east-1:123456789012:build/build-dev:7a1b"
VARIABLES = {
    "IMAGE_URI": f"{URI}@{DIGEST}",
    "SIGNING_KEY": "alias/signing-key-dev",
    "COMMIT": COMMIT,
    "SOURCE_URL": "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/repository-dev",
    "CODEBUILD_BUILD_ARN": BUILD,
    "CODEBUILD_START_TIME": "1764244800000",
}


PINS = f"""# A comment==1.0
Flask[async]==3.1.3 ; python_version < "4" \\
    --hash=sha256:{"12" * 32} \\
    --hash=sha256:{"34" * 32}
    # via gone==1.0
typing_extensions==4.15.0
"""


@dataclass
class Aws:
    """KMS and ECR, as far as the program calls them; `refuse` is the error of each operation."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, Any] = field(default_factory=dict)
    signed: list[bytes] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    parts: dict[str, bytes] = field(default_factory=dict)
    uploads: Iterator[int] = field(default_factory=count)

    def call(self, _service: str, operation: str, *arguments: str) -> str:
        """Answer a call."""
        if operation in self.refuse:
            raise program.AwsError(f"An error occurred ({self.refuse[operation]}) when calling it")
        given = dict(zip(arguments[::2], arguments[1::2], strict=True))
        if operation == "sign":
            self.signed.append(Path(given["--message"].removeprefix("fileb://")).read_bytes())
            return base64.b64encode(b"signature of " + self.signed[-1]).decode()
        assert given["--repository-name"] == "images-dev"
        if operation == "upload-layer-part":
            part = Path(given["--layer-part-blob"].removeprefix("fileb://")).read_bytes()
            assert int(given["--part-last-byte"]) == len(part) - 1
            self.parts[given["--upload-id"]] = part
        elif operation == "complete-layer-upload":
            self.blobs[given["--layer-digests"]] = self.parts[given["--upload-id"]]
        elif operation == "put-image":
            self.images[given["--image-tag"]] = json.loads(given["--image-manifest"])
        # Several are under way at the same time.
        return f"upload-{next(self.uploads)}"

    def layer(self, end: str, number: int = 0) -> tuple[dict[str, Any], bytes]:
        """Return a layer of what is attached to the image, and its content."""
        manifest = self.images[f"sha256-{DIGEST[7:]}{end}"]
        assert json.loads(self.blobs[manifest["config"]["digest"]])["rootfs"]["type"] == "layers"
        layer: dict[str, Any] = manifest["layers"][number]
        content = self.blobs[layer["digest"]]
        assert layer["size"] == len(content)
        assert layer["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        return layer, content


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Aws:
    found = Aws()
    monkeypatch.setattr(program, "aws", found.call)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    base = "public.ecr.aws/docker/library/python:3.9-slim"
    Path("Dockerfile").write_text(
        f"FROM {base}@sha256:{'cd' * 32}\nCOPY --from={base}@sha256:{'ef' * 32} a b\n"
        "COPY service/requirements.txt ./\nCOPY service/greeter ./greeter\n"
    )
    Path("service").mkdir()
    Path("service/requirements.txt").write_text(PINS)
    return found


def test_the_signature_is_over_the_digest_in_the_form_of_cosign(aws: Aws) -> None:
    program.main()
    layer, content = aws.layer(".sig")
    assert json.loads(content) == {
        "critical": {
            "identity": {"docker-reference": URI},
            "image": {"docker-manifest-digest": DIGEST},
            "type": "cosign container image signature",
        },
        "optional": None,
    }
    assert layer["mediaType"] == "application/vnd.dev.cosign.simplesigning.v1+json"
    digest = hashlib.sha256(content).digest()
    assert digest in aws.signed
    signature = base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"])
    assert signature == b"signature of " + digest


def test_the_provenance_names_the_build_the_commit_and_the_base_images(aws: Aws) -> None:
    program.main()
    layer, content = aws.layer(".att")
    assert layer["annotations"] == {
        "dev.cosignproject.cosign/signature": "",
        "predicateType": "https://slsa.dev/provenance/v1",
    }
    envelope = json.loads(content)
    body = base64.b64decode(envelope["payload"])
    encoded = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(body) + body
    assert hashlib.sha256(encoded).digest() in aws.signed
    statement = json.loads(body)
    assert statement["subject"] == [{"name": URI, "digest": {"sha256": DIGEST[7:]}}]
    run = statement["predicate"]["runDetails"]
    assert run["builder"]["id"] == "arn:aws:codebuild:us-east-1:123456789012:project/build-dev"
    assert run["metadata"] == {"invocationId": BUILD, "startedOn": "2025-11-27T12:00:00Z"}
    source, *bases = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source == {"uri": f"git+{VARIABLES['SOURCE_URL']}", "digest": {"gitCommit": COMMIT}}
    assert [each["digest"]["sha256"] for each in bases] == ["cd" * 32, "ef" * 32]
    assert {each["uri"] for each in bases} == {"pkg:docker/public.ecr.aws/docker/library/python"}


def test_the_bill_of_materials_has_the_pins_of_what_the_dockerfile_copies_with_their_hashes(
    aws: Aws,
) -> None:
    program.main()
    layer, content = aws.layer(".att", 1)
    assert layer["annotations"]["predicateType"] == "https://cyclonedx.org/bom"
    bill = json.loads(base64.b64decode(json.loads(content)["payload"]))["predicate"]
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    hashes = {
        each["purl"]: [one["content"] for one in each["externalReferences"][0]["hashes"]]
        for each in bill["components"]
    }
    assert hashes == {
        "pkg:pypi/flask@3.1.3": ["12" * 32, "34" * 32],
        "pkg:pypi/typing-extensions@4.15.0": [],
    }


def test_an_image_that_was_built_before_keeps_its_signature(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tags are immutable, and a second build of a commit may result in the same image."""
    aws.refuse = {
        "put-image": "ImageTagAlreadyExistsException",
        "complete-layer-upload": "LayerAlreadyExistsException",
    }
    program.main()
    assert ".sig is there already" in capsys.readouterr().out


@pytest.mark.parametrize("operation", ["sign", "put-image", "complete-layer-upload"])
def test_another_error_stops_the_build_in_one_line(aws: Aws, operation: str) -> None:
    aws.refuse = {operation: "AccessDeniedException"}
    said = re.escape(
        f"cannot sign {URI}@{DIGEST} with alias/signing-key-dev: An error occurred (AccessDenied"
    )
    with pytest.raises(SystemExit, match=said):
        program.main()
