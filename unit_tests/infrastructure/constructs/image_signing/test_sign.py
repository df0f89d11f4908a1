"""The program that signs an image: what it signs, what it stores, and the one line in which it fails."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.model import OperationModel

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
KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "none"}


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

    def client(self, service: str) -> Any:
        """Return a client that asks this."""
        client = boto3.Session(region_name="us-east-1").client(service)
        client.meta.events.register("before-call", self._call)
        return client

    def _call(self, model: OperationModel, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        """Answer a call before it is sent, which has then passed botocore's validation."""
        if model.name in self.refuse:
            # With it, botocore raises the client's own exception.
            error = {"Code": self.refuse[model.name], "Message": "no"}
            return AWSResponse("", 400, {}, io.BytesIO()), {"Error": error}
        given = json.loads(params["body"])
        return AWSResponse("", 200, {}, io.BytesIO()), getattr(self, xform_name(model.name))(**given)

    def sign(self, Message: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - the API's names
        """Sign a digest."""
        self.signed.append(base64.b64decode(Message))
        return {"Signature": b"signature of " + self.signed[-1]}

    def initiate_layer_upload(self, repositoryName: str) -> dict[str, Any]:  # noqa: N803
        """Begin an upload."""
        assert repositoryName == "images-dev"
        return {"uploadId": f"upload-{next(self.uploads)}"}

    def upload_layer_part(self, **given: Any) -> dict[str, Any]:
        """Receive a blob in one part."""
        part = base64.b64decode(given["layerPartBlob"])
        assert (given["partFirstByte"], given["partLastByte"]) == (0, len(part) - 1)
        self.parts[given["uploadId"]] = part
        return {}

    def complete_layer_upload(self, **given: Any) -> dict[str, Any]:
        """Store a blob."""
        [digest] = given["layerDigests"]
        self.blobs[digest] = self.parts[given["uploadId"]]
        return {}

    def put_image(self, **given: Any) -> dict[str, Any]:
        """Store a manifest."""
        self.images[given["imageTag"]] = json.loads(given["imageManifest"])
        return {}

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
    monkeypatch.setattr(boto3, "client", found.client)
    for name, value in {**VARIABLES, **KEYS}.items():
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
        "PutImage": "ImageTagAlreadyExistsException",
        "CompleteLayerUpload": "LayerAlreadyExistsException",
    }
    program.main()
    assert ".sig is there already" in capsys.readouterr().out


@pytest.mark.parametrize("operation", ["Sign", "PutImage", "CompleteLayerUpload"])
def test_another_error_stops_the_build_in_one_line(aws: Aws, operation: str) -> None:
    aws.refuse = {operation: "AccessDeniedException"}
    said = re.escape(
        f"cannot sign {URI}@{DIGEST} with alias/signing-key-dev: An error occurred (AccessDenied"
    )
    with pytest.raises(SystemExit, match=said):
        program.main()
