"""Attacks through what is installed: each test releases an image whose scan found a vulnerability."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from harness.cloud import Cloud
from harness.notifications import subscribed
from integration_tests.pitfalls.released_pipeline import SUCCEEDED, Released, released_pipeline

pytestmark = pytest.mark.slow

OPENSSL = ("CVE-2026-0001", "CRITICAL", "openssl")
ZLIB = ("CVE-2026-0002", "HIGH", "zlib1g")


@pytest.fixture(scope="module")
def released(cloud: Cloud) -> Iterator[Released]:
    with released_pipeline(cloud) as found:
        yield found


@pytest.fixture(autouse=True)
def as_deployed(released: Released) -> Iterator[None]:
    yield
    released.plant()
    released.set_variables(IMAGE_SCAN_THRESHOLD="CRITICAL", IMAGE_SCAN_EXCEPTIONS="{}")


def assert_stopped_before_traffic(released: Released) -> str:
    """Deploy the image again, and assert that it gets no traffic; return the hook's reason."""
    production = released.primary_task_set()
    status, code, _ = released.deploy()
    assert (status, code) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert released.primary_task_set() == production
    return released.reason()


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


def test_an_environment_is_protected_by_its_own_threshold(released: Released) -> None:
    """attack S2: what dev admits is promoted to prod, whose hook has a threshold of its own."""
    released.plant(ZLIB)
    assert released.deploy() == SUCCEEDED
    released.set_variables(IMAGE_SCAN_THRESHOLD="HIGH")
    assert "CVE-2026-0002, HIGH, zlib1g 1.0" in assert_stopped_before_traffic(released)


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
    status, code, _ = released.deploy(released.register(image=f"{uri}@{pushed}"))
    assert (status, code) == ("Failed", "HOOK_EXECUTION_FAILURE")
    said = f"the findings of {pushed} in {repository} are unknown, because the status of its scan is no scan"
    assert said in released.reason()
