"""Attacks through an image that Build did not make: it is pushed and deployed past the pipeline."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from integration_tests.pitfalls.released_pipeline import SUCCEEDED, Released, released_pipeline
from integration_tests.support.images import attach_signature, attestations, signed_payload

ALGORITHM = "ECDSA_SHA_256"


@pytest.fixture(scope="module")
def released(cloud: Cloud) -> Iterator[Released]:
    with released_pipeline(cloud) as found:
        yield found


def repository(released: Released) -> str:
    return released.image.partition("@")[0].partition("/")[2]


def pushed_by_hand(released: Released, tag: str) -> str:
    """Push the released layers with another manifest, as whoever has push rights may; return its digest."""
    ecr, digest = released.client("ecr"), released.image.partition("@")[2]
    named = {"repositoryName": repository(released)}
    (image,) = ecr.batch_get_image(**named, imageIds=[{"imageDigest": digest}])["images"]
    put = ecr.put_image(
        **named,
        imageManifest=image["imageManifest"] + " " * len(tag),
        imageManifestMediaType=image["imageManifestMediaType"],
        imageTag=tag,
    )
    return str(put["image"]["imageId"]["imageDigest"])


def assert_refused(released: Released, digest: str, said: str) -> None:
    """Deploy an image, and assert that the hook lets no traffic to it, for this reason."""
    production, uri = released.primary_task_set(), released.image.partition("@")[0]
    status, code, _ = released.deploy(released.register(image=f"{uri}@{digest}"))
    assert (status, code) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert released.primary_task_set() == production
    reason = released.reason()
    assert f"SignatureError: the image {digest} in {repository(released)} has no signature by arn:" in reason
    assert said in reason


def own_key(released: Released) -> str:
    return released.pipeline.physical_name("alias/signing-key-the-suffix")


@pytest.mark.slow
def test_an_image_that_build_did_not_sign_gets_no_traffic(released: Released) -> None:
    """attack I1: a person with push rights pushes an image, and deploys it past the pipeline."""
    assert_refused(released, pushed_by_hand(released, "by"), "(it has no signature): only Build signs")


@pytest.mark.slow
def test_the_signature_of_another_image_does_not_count(released: Released) -> None:
    """attack I2: the signature of a good image is attached to a bad one."""
    cloud, name = released.pipeline.stack.cloud, repository(released)
    good, bad = released.image.partition("@")[2], pushed_by_hand(released, "bad")
    payload, signature = signed_payload(cloud, name, good)
    attach_signature(cloud, name, bad, payload, signature)
    assert_refused(released, bad, f"it has a signature of {good}")


@pytest.mark.slow
def test_a_signature_by_another_key_does_not_count(released: Released) -> None:
    """attack I3: a person signs with a key of their own, or with that of another environment."""
    cloud, name, kms = released.pipeline.stack.cloud, repository(released), released.client("kms")
    digest = pushed_by_hand(released, "mine")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    good, _ = signed_payload(cloud, name, released.image.partition("@")[2])
    payload = good.replace(released.image.partition("@")[2].encode(), digest.encode())
    signature = kms.sign(KeyId=key, Message=payload, SigningAlgorithm=ALGORITHM)["Signature"]
    attach_signature(cloud, name, digest, payload, signature)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert_refused(released, digest, "alias/signing-key-")


@pytest.mark.slow
def test_a_target_refuses_what_its_source_did_not_sign(released: Released) -> None:
    """attack I4: an image from elsewhere is copied to a target, with a signature that is good elsewhere."""
    own = f"arn:aws:kms:us-east-1:{released.pipeline.stack.cloud.account.id}:{own_key(released)}"
    source = "arn:aws:kms:us-east-1:222222222222:alias/signing-key-source"
    released.set_variables(SIGNING_KEYS=source)
    try:
        assert_refused(released, released.image.partition("@")[2], "alias/signing-key-source: ")
    finally:
        released.set_variables(SIGNING_KEYS=own)
    assert released.deploy() == SUCCEEDED


@pytest.mark.slow
def test_not_even_the_owner_of_the_account_signs(released: Released) -> None:
    """attack I6: an administrator signs an image by hand."""
    kms = released.client("kms")
    with pytest.raises(ClientError, match="explicit deny") as caught:
        kms.sign(KeyId=own_key(released), Message=b"x", SigningAlgorithm=ALGORITHM)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


@pytest.mark.slow
def test_what_is_said_of_an_image_cannot_be_changed(released: Released) -> None:
    """attack I7: somebody says that another commit, or other packages, are in an image."""
    digest, kms = released.image.partition("@")[2], released.client("kms")
    said = {}
    found = attestations(released.pipeline.stack.cloud, repository(released), digest)
    for kind, envelope in found.items():
        body, kept = base64.b64decode(envelope["payload"]), envelope["signatures"][0]["sig"]
        given: dict[str, Any] = {
            "KeyId": own_key(released),
            "SigningAlgorithm": ALGORITHM,
            "MessageType": "DIGEST",
        }
        given["Signature"] = base64.b64decode(kept)
        assert kms.verify(**given, Message=encoded(body))["SignatureValid"] is True
        with pytest.raises(kms.exceptions.KMSInvalidSignatureException):
            kms.verify(**given, Message=encoded(body.replace(b"pkg:", b"pkg;")))
        said[kind] = json.loads(body)
        assert said[kind]["subject"][0]["digest"] == {"sha256": digest[7:]}
    source = said["https://slsa.dev/provenance/v1"]["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    commit = released.definition["containerDefinitions"][0]["dockerLabels"][
        "org.opencontainers.image.revision"
    ]
    assert source["digest"] == {"gitCommit": commit}
    packages = said["https://cyclonedx.org/bom"]["predicate"]["components"]
    assert "flask" in {each["name"] for each in packages}


def encoded(body: bytes) -> bytes:
    """Return the digest of what is signed of a statement: https://github.com/secure-systems-lab/dsse."""
    kind = b"application/vnd.in-toto+json"
    return hashlib.sha256(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)).digest()
