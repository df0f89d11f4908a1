"""Attacks past the pipeline: an image that Build did not make or nobody approved, or another task."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.notifications import subscribed
from harness.synthesized_app import SUFFIX
from integration_tests.attacks.people import Person, role
from integration_tests.pitfalls.released_pipeline import GUARD_RULES, SUCCEEDED, Released, released_pipeline
from integration_tests.support.images import attach_signature, attestations, signed_payload
from operations import break_glass
from operations.names import Names
from operations.why.deployment import explain_deployment

ALGORITHM = "ECDSA_SHA_256"


@pytest.fixture(scope="module")
def released(cloud: Cloud) -> Iterator[Released]:
    """A pipeline of an environment that others promote to, with approvers of its own."""
    approvers = f"arn:aws:iam::{cloud.account.id}:role/managers-{SUFFIX}"
    with released_pipeline(cloud, "promotedFrom=qa@222222222222", f"approvers={approvers}") as found:
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


def own_key_arn(released: Released) -> str:
    return f"arn:aws:kms:us-east-1:{released.pipeline.stack.cloud.account.id}:{own_key(released)}"


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
    source = "arn:aws:kms:us-east-1:222222222222:alias/signing-key-source"
    with trusting(released, source):
        assert_refused(released, released.image.partition("@")[2], "alias/signing-key-source: ")
    assert released.deploy() == SUCCEEDED


@pytest.mark.slow
def test_an_image_that_no_approver_of_the_target_approved_gets_no_traffic(released: Released) -> None:
    """attacks G18, G23: who owns the pipeline that promotes takes the approval out, or changes Build."""
    cloud, suffix = released.pipeline.stack.cloud, released.pipeline.stack.suffix
    digest, parameter = released.image.partition("@")[2], f"/approvals-{suffix}/image"
    # The first is the environment's own: as if a source had signed the image.
    with trusting(released, "arn:aws:kms:us-east-1:222222222222:alias/signing-key-qa", own_key_arn(released)):
        # Break-glass never changes who approves.
        break_glass.open_break_glass(suffix, cloud.account, "somebody is in a hurry", 5, print)
        assert_not_approved(released, "the approved image is none")
        break_glass.close(suffix, cloud.account, print)
        value = f"{digest} sha256:{'d' * 64}"
        cloud.client("ssm").put_parameter(Name=parameter, Value=value, Overwrite=True)
        assert_not_approved(released, "who is no session of")
        with role(cloud, f"managers-{suffix}") as managers:
            approver = f"approver-role-{suffix}"
            mary = Person(cloud, approver, "mary", Person(cloud, managers, "mary"))
            mary.client("ssm").put_parameter(Name=parameter, Value=digest, Overwrite=True)
            # Attack G23: she has not seen what made the image.
            assert_not_approved(released, "the approval names no definition of the pipeline")
            mary.client("ssm").put_parameter(Name=parameter, Value=value, Overwrite=True)
        assert released.deploy() == SUCCEEDED
        assert released.hook_line()["approvedBy"].endswith(f"assumed-role/{approver}/mary")


@contextmanager
def trusting(released: Released, *keys: str) -> Iterator[None]:
    """Let the hook trust these keys, of which the first is the environment's own."""
    before = released.client("lambda").get_function_configuration(FunctionName=released.hook)
    released.set_variables(SIGNING_KEYS=",".join(keys))
    try:
        yield
    finally:
        released.set_variables(SIGNING_KEYS=before["Environment"]["Variables"]["SIGNING_KEYS"])


def assert_not_approved(released: Released, why: str) -> None:
    """Deploy the image, and assert that the hook lets no traffic to it, for this reason."""
    production = released.primary_task_set()
    assert released.deploy()[:2] == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert released.primary_task_set() == production
    reason = released.reason()
    assert reason.startswith("ApprovalError: no approver has approved the image sha256:")
    assert why in reason


def assert_stopped(
    released: Released,
    said: str,
    *,
    hooks: list[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Deploy the image with changes, and assert that it gets no traffic and the topic is told this reason."""
    production = released.primary_task_set()
    cloud, name = released.pipeline.stack.cloud, released.pipeline.physical_name("notifications-the-suffix")
    with subscribed(cloud, f"arn:aws:sns:us-east-1:{cloud.account.id}:{name}") as notifications:
        definition = released.register(**changes) if changes else ""
        status, code, _ = released.deploy(definition, hooks, **(settings or {}))
        assert (status, code) == ("Stopped", "MANUAL_STOP")
        notifications.wait_for(f"{released.deployment} to", "was refused, and stopped: ", said)
    assert released.primary_task_set() == production


@pytest.mark.slow
@pytest.mark.parametrize("hooks", [[], ["test-traffic-hook-of-mine"]], ids=["none", "another"])
def test_a_deployment_without_the_hook_gets_no_traffic(released: Released, hooks: list[str]) -> None:
    """attack G19: who owns the pipeline that promotes leaves the target's hook out of the AppSpec."""
    found = f"- AfterAllowTestTraffic: {hooks[0]}" if hooks else "nothing"
    said = f"AppSpecError: the AppSpec has {found} in place of {'- After' if hooks else 'Hooks'}"
    assert_stopped(released, said, hooks=hooks)
    reason = explain_deployment(
        released.pipeline.stack.cloud.account, Names(released.pipeline.stack.suffix), released.deployment
    )
    assert reason.gate == "deployment guard"
    assert said in reason.reason


@pytest.mark.slow
def test_a_lost_event_of_codedeploy_lets_no_deployment_without_the_hook_pass(released: Released) -> None:
    """attack G20: the event of the start is lost, which EventBridge gets on a best effort basis."""
    with released.disabled(GUARD_RULES[0]):
        assert_stopped(released, "in place of Hooks:", hooks=[])


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"command": ["python", "-c", "print(1)"]},
        {"user": "0:0", "readonlyRootFilesystem": False},
        {"healthCheck": {"command": ["CMD", "true"]}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_approved_image_does_not_run_in_another_way(released: Released, changes: dict[str, Any]) -> None:
    """attack G21: an approved image with another command, user, file system or health check."""
    assert_stopped(released, f"TaskDefinitionError: app.{sorted(changes)[0]} is ", **changes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"deploymentConfigName": "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"},
        {"overrideAlarmConfiguration": {"enabled": False}},
        {"autoRollbackConfiguration": {"enabled": False}},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_deployment_overrides_nothing_of_its_group(released: Released, settings: dict[str, Any]) -> None:
    """attack G22: an approved image gets all traffic at once, or no alarm or no rollback stops it."""
    assert_stopped(released, "ShiftError: it ", settings=settings)


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
