"""Attacks through what is installed: vulnerable packages in the image, and in the pins of a commit."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.cloud import PROJECT, Cloud
from harness.notifications import subscribed
from integration_tests.pitfalls.released_pipeline import SUCCEEDED, Released, released_pipeline
from integration_tests.support.images import attach_signature, signed_payload

OPENSSL = ("CVE-2026-0001", "CRITICAL", "openssl")
AUDIT = PROJECT / "infrastructure" / "constructs" / "dependency_audit"
ZLIB = ("CVE-2026-0002", "HIGH", "zlib1g")


@pytest.fixture(scope="module")
def pipeline(cloud: Cloud) -> Iterator[Released]:
    with released_pipeline(cloud) as found:
        yield found


@pytest.fixture
def released(pipeline: Released) -> Iterator[Released]:
    """The pipeline with the settings of dev and without findings."""
    yield pipeline
    pipeline.plant()
    pipeline.set_variables(IMAGE_SCAN_THRESHOLD="CRITICAL", IMAGE_SCAN_EXCEPTIONS="{}")


def assert_stopped_before_traffic(released: Released) -> str:
    """Deploy the image again, and assert that it gets no traffic; return the hook's reason."""
    production = released.primary_task_set()
    status, code, _ = released.deploy()
    assert (status, code) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert released.primary_task_set() == production
    return released.reason()


@pytest.mark.slow
def test_an_image_with_a_critical_finding_gets_no_traffic_and_the_topic_is_told(released: Released) -> None:
    """attack S1: an image with a known vulnerability is released, although its scan has found it."""
    cloud = released.pipeline.stack.cloud
    name = released.pipeline.physical_name("notifications-the-suffix")
    topic = f"arn:aws:sns:{cloud.account.region}:{cloud.account.id}:{name}"
    released.plant(ZLIB, OPENSSL)
    with subscribed(cloud, topic) as notifications:
        reason = assert_stopped_before_traffic(released)
        notifications.wait_for(f"Deployment {released.deployment}")
    assert "the scan of the image found CVE-2026-0001, CRITICAL, openssl 1.0: release an image" in reason
    assert "zlib1g" not in reason, "HIGH is below the threshold of the environment"


@pytest.mark.slow
def test_an_environment_is_protected_by_its_own_threshold(released: Released) -> None:
    """attack S2: what dev admits is promoted to prod, whose hook has a threshold of its own."""
    released.plant(ZLIB)
    assert released.deploy() == SUCCEEDED
    released.set_variables(IMAGE_SCAN_THRESHOLD="HIGH")
    assert "CVE-2026-0002, HIGH, zlib1g 1.0" in assert_stopped_before_traffic(released)


@pytest.mark.slow
def test_an_exception_admits_its_finding_until_its_date_and_not_after_it(released: Released) -> None:
    """attack S3: an exception for a while is left in place for ever."""
    today = datetime.now(UTC).date()
    released.plant(OPENSSL)
    released.set_variables(
        IMAGE_SCAN_EXCEPTIONS=json.dumps({"CVE-2026-0001": str(today + timedelta(days=1))})
    )
    assert released.deploy() == SUCCEEDED
    yesterday = str(today - timedelta(days=1))
    released.set_variables(IMAGE_SCAN_EXCEPTIONS=json.dumps({"CVE-2026-0001": yesterday}))
    reason = assert_stopped_before_traffic(released)
    assert f"CVE-2026-0001, CRITICAL, openssl 1.0 (its exception expired on {yesterday})" in reason


@pytest.mark.slow
def test_an_image_that_was_never_scanned_gets_no_traffic(released: Released) -> None:
    """attack S4: scan on push is turned off before an image is pushed, so that nothing is found in it."""
    ecr, (uri, _, digest) = released.client("ecr"), released.image.partition("@")
    repository = uri.partition("/")[2]
    ecr.put_image_scanning_configuration(
        repositoryName=repository, imageScanningConfiguration={"scanOnPush": False}
    )
    (image,) = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])["images"]
    # The same layers under another digest.
    pushed = ecr.put_image(
        repositoryName=repository,
        imageManifest=image["imageManifest"] + "\n",
        imageManifestMediaType=image["imageManifestMediaType"],
        imageTag="never-scanned",
    )["image"]["imageId"]["imageDigest"]
    with trusted_signature(released, repository, pushed):
        status, code, _ = released.deploy(released.register(image=f"{uri}@{pushed}"))
    assert (status, code) == ("Failed", "HOOK_EXECUTION_FAILURE")
    said = f"the findings of {pushed} in {repository} are unknown, because the status of its scan is no scan"
    assert said in released.reason()


@contextmanager
def trusted_signature(released: Released, repository: str, digest: str) -> Iterator[None]:
    """Sign an image with a key that the hook trusts while the context is open; only Build has its own."""
    cloud, kms = released.pipeline.stack.cloud, released.client("kms")
    account, name = cloud.account.id, released.pipeline.physical_name
    role = f"arn:aws:iam::{account}:role/{name('test-traffic-hook-role-the-suffix')}"
    allowed = {"AWS": [f"arn:aws:iam::{account}:root", role]}
    statement = {"Effect": "Allow", "Principal": allowed, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    about = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY", "Policy": policy}
    key, alias = kms.create_key(**about)["KeyMetadata"]["KeyId"], name("alias/trusted-the-suffix")
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    good = released.image.partition("@")[2]
    payload = signed_payload(cloud, repository, good)[0].replace(good.encode(), digest.encode())
    signature = kms.sign(KeyId=key, Message=payload, SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    attach_signature(cloud, repository, digest, payload, signature)
    keys = f"arn:aws:kms:us-east-1:{account}"
    released.set_variables(SIGNING_KEYS=f"{keys}:{alias}")
    try:
        yield
    finally:
        released.set_variables(SIGNING_KEYS=f"{keys}:{name('alias/signing-key-the-suffix')}")


def audit(commit: Path, *further: str) -> tuple[int, str]:
    """Audit the pins of the sample service and these lines, as the build does; return status and output."""
    pins = (PROJECT / "sample_service" / "requirements.txt").read_text("utf-8")
    (commit / "requirements.txt").write_text("\n".join((pins, *further)))
    data = ["--advisories", str(AUDIT / "advisories.json"), "--exceptions", str(AUDIT / "exceptions.json")]
    python = (PROJECT / ".tools" / "python-3.9").read_text("utf-8").strip()
    done = subprocess.run(  # noqa: S603 - our own program
        [python, "-I", "-", *data, "requirements.txt"],
        cwd=commit,
        input=(AUDIT / "audit.py").read_text("utf-8"),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_pin_with_a_known_vulnerability_stops_the_build(tmp_path: Path) -> None:
    """attack S5: a commit pins a release with a published vulnerability."""
    status, said = audit(tmp_path, "werkzeug==2.2.2")
    assert status == 1
    assert "finding: werkzeug 2.2.2: CVE-2023-23934, fixed in 2.2.3" in said


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url https://example.org/simple",
        "flask @ https://example.org/flask-3.1.3-py3-none-any.whl",
    ],
)
def test_requirements_from_elsewhere_stop_the_build(tmp_path: Path, line: str) -> None:
    """attack S6: the right name and version from another index, or from a URL."""
    status, said = audit(tmp_path, line)
    assert status == 2
    assert "is not NAME==VERSION: options, URLs and ranges are refused" in said


def test_the_commit_cannot_replace_the_audit_by_a_module_of_its_own(tmp_path: Path) -> None:
    """attack S7: a module json.py at the top of the commit is imported in place of Python's own."""
    (tmp_path / "json.py").write_text("import sys; sys.exit(0)")
    assert audit(tmp_path, "werkzeug==2.2.2")[0] == 1
