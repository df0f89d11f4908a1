"""The test-traffic hook: which signatures of an image it accepts, and what it says of the others."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infrastructure.constructs.traffic_hook.function import handler as hook
from infrastructure.constructs.traffic_hook.function import image_signature
from infrastructure.constructs.traffic_hook.function.image_signature import Signatures
from unit_tests.infrastructure.constructs.traffic_hook.hook_fakes import (
    DIGEST,
    KEY,
    OTHER,
    Aws,
    Service,
    line,
    run,
)

SOURCE = "arn:aws:kms:us-east-1:111111111111:alias/signing-key-source"


def payload(digest: str) -> bytes:
    return json.dumps({"critical": {"image": {"docker-manifest-digest": digest}}}).encode()


def signed(key: str, content: bytes) -> bytes:
    """Return what stands for a signature of a key."""
    return hashlib.sha256(key.encode() + content).digest()


class Kms:
    """KMS, with keys that the hook may not use."""

    denied: tuple[str, ...] = ()

    def verify(self, **given: Any) -> None:
        """Raise what KMS raises."""
        assert (given["MessageType"], given["SigningAlgorithm"]) == ("RAW", "ECDSA_SHA_256")
        code = "AccessDeniedException" if given["KeyId"] in self.denied else "KMSInvalidSignatureException"
        if code[0] == "A" or given["Signature"] != signed(given["KeyId"], given["Message"]):
            raise ClientError({"Error": {"Code": code}}, "Verify")


@dataclass
class Ecr:
    """ECR, with the signatures of the image."""

    folder: Path
    layers: list[dict[str, Any]] = field(default_factory=list)

    def attach(self, content: bytes, signature: bytes) -> str:
        """Store a signature; return the digest of what is signed."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        (self.folder / digest).write_bytes(content)
        value = base64.b64encode(signature).decode()
        self.layers.append({"digest": digest, "annotations": {"dev.cosignproject.cosign/signature": value}})
        return digest

    def batch_get_image(self, **given: Any) -> Any:
        """Return the manifest of the signatures."""
        assert given["imageIds"] == [{"imageTag": f"sha256-{DIGEST[7:]}.sig"}]
        return {"images": [{"imageManifest": json.dumps({"layers": self.layers})}] if self.layers else []}

    def get_download_url_for_layer(self, *, layerDigest: str, **_: Any) -> Any:  # noqa: N803 - AWS's name
        """Return where a layer is."""
        return {"downloadUrl": (self.folder / layerDigest).as_uri()}


@pytest.fixture
def ecr(tmp_path: Path) -> Ecr:
    return Ecr(tmp_path)


def check(ecr: Ecr, kms: Kms | None = None) -> str:
    return Signatures("images-dev", (KEY, SOURCE)).check(ecr, kms or Kms(), DIGEST)


@pytest.mark.parametrize("key", [KEY, SOURCE])
def test_a_signature_of_a_trusted_key_over_this_digest_is_accepted(ecr: Ecr, key: str) -> None:
    ecr.attach(payload(DIGEST), signed(key, payload(DIGEST)))
    assert check(ecr) == key


def test_one_good_signature_is_enough(ecr: Ecr) -> None:
    ecr.attach(payload(OTHER), signed(KEY, payload(OTHER)))
    ecr.attach(payload(DIGEST), b"nonsense")
    ecr.attach(payload(DIGEST), signed(KEY, payload(DIGEST)))
    assert check(ecr) == KEY


def test_an_image_without_a_signature_is_refused_in_one_line_that_says_what_to_do(ecr: Ecr) -> None:
    with pytest.raises(image_signature.SignatureError) as caught:
        check(ecr)
    assert str(caught.value) == (
        f"the image {DIGEST} in images-dev has no signature by {KEY} or {SOURCE} (it has no signature): only "
        "Build signs, so start the pipeline again where the image was built, or see docs/operations.md"
    )


def test_a_signature_of_another_digest_is_refused(ecr: Ecr) -> None:
    ecr.attach(payload(OTHER), signed(KEY, payload(OTHER)))
    with pytest.raises(image_signature.SignatureError, match=f"it has a signature of {OTHER}"):
        check(ecr)


def test_a_signature_of_another_key_is_refused_and_each_key_says_why(ecr: Ecr) -> None:
    ecr.attach(payload(DIGEST), signed("alias/of-somebody", payload(DIGEST)))
    kms = Kms()
    kms.denied = (SOURCE,)
    said = r"alias/signing-key-dev: KMSInvalidSignatureException; alias/signing-key-source: AccessDenied"
    with pytest.raises(image_signature.SignatureError, match=said):
        check(ecr, kms)


def test_what_the_registry_returns_is_compared_with_its_digest(ecr: Ecr, tmp_path: Path) -> None:
    digest = ecr.attach(payload(OTHER), b"")
    (tmp_path / digest).write_bytes(payload(DIGEST))
    with pytest.raises(image_signature.SignatureError, match="has another content"):
        check(ecr)


def test_what_is_longer_than_kms_accepts_is_not_sent_to_it(ecr: Ecr) -> None:
    ecr.attach(payload(DIGEST) + b" " * 4096, b"")
    with pytest.raises(image_signature.SignatureError, match="is too long"):
        check(ecr)


def test_no_more_than_ten_signatures_are_read(ecr: Ecr) -> None:
    for number in range(11):
        content = payload(DIGEST) + b" " * number
        ecr.attach(content, signed(KEY if number == 10 else "alias/of-somebody", content))
    with pytest.raises(image_signature.SignatureError):
        check(ecr)


def test_a_release_without_a_signature_fails_without_a_request(
    aws: Aws, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> str:
        raise image_signature.SignatureError("it has no signature")

    monkeypatch.setattr(hook, "check_signature", refuse)
    aws.returns_running_release(scanned=False)
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert line(capsys)["reason"] == "SignatureError: it has no signature"
    assert service.asked == []
