"""The test-traffic hook: which findings of the image's scan stop a release, and for how long it waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from infrastructure.constructs.traffic_hook.function import handler as hook
from infrastructure.constructs.traffic_hook.function import image_scan
from unit_tests.infrastructure.constructs.traffic_hook.hook_fakes import DIGEST, Aws, Service, line, run

OPENSSL = ("CVE-2026-0001", "CRITICAL", "openssl")
ZLIB = ("CVE-2026-0002", "HIGH", "zlib1g")
TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def scanned(aws: Aws) -> Aws:
    """An AWS with a running release, whose scan the test describes."""
    aws.returns_running_release(scanned=False)
    return aws


def reason(capsys: pytest.CaptureFixture[str]) -> str:
    told = line(capsys)["reason"]
    assert isinstance(told, str)
    return told


def test_a_critical_finding_stops_the_release_without_a_request_and_is_named(
    scanned: Aws, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    scanned.returns_scan(ZLIB, OPENSSL)
    scanned.expects_report("Failed")
    assert run() == "Failed"
    assert reason(capsys) == (
        "ScanError: the scan of the image found CVE-2026-0001, CRITICAL, openssl: release an image without "
        "findings of CRITICAL or above, or add dated exceptions to imageScanExceptions in cdk.json"
    )
    assert service.asked == []


@pytest.mark.parametrize(
    ("threshold", "severity", "status"),
    [
        ("CRITICAL", "CRITICAL", "Failed"),
        ("CRITICAL", "HIGH", "Succeeded"),
        ("HIGH", "HIGH", "Failed"),
        ("HIGH", "MEDIUM", "Succeeded"),
        ("MEDIUM", "MEDIUM", "Failed"),
        ("MEDIUM", "LOW", "Succeeded"),
        ("MEDIUM", "INFORMATIONAL", "Succeeded"),
        ("MEDIUM", "UNDEFINED", "Succeeded"),
    ],
)
def test_findings_of_the_threshold_and_above_stop_a_release(
    scanned: Aws, monkeypatch: pytest.MonkeyPatch, threshold: str, severity: str, status: str
) -> None:
    monkeypatch.setenv("IMAGE_SCAN_THRESHOLD", threshold)
    scanned.returns_scan(("CVE-2026-0001", severity, "openssl"))
    scanned.expects_report(status)
    assert run() == status


def test_an_environment_may_choose_not_to_read_the_scan_and_the_log_says_so(
    scanned: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMAGE_SCAN_THRESHOLD", "NONE")
    scanned.expects_report("Succeeded")
    assert run() == "Succeeded"
    assert line(capsys)["imageScan"] == {"threshold": "NONE", "status": "not read"}


def test_an_exception_counts_up_to_its_last_day_and_is_logged(
    scanned: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMAGE_SCAN_EXCEPTIONS", f'{{"CVE-2026-0001": "{TODAY}"}}')
    scanned.returns_scan(OPENSSL, ZLIB)
    scanned.expects_report("Succeeded")
    assert run() == "Succeeded"
    assert line(capsys)["imageScan"] == {
        "threshold": "CRITICAL",
        "status": "COMPLETE",
        "findings": 2,
        "excepted": {"CVE-2026-0001, CRITICAL, openssl": f"excepted until {TODAY}"},
    }


def test_an_exception_that_expired_counts_no_more_and_the_reason_says_so(
    scanned: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMAGE_SCAN_EXCEPTIONS", f'{{"CVE-2026-0001": "{YESTERDAY}"}}')
    scanned.returns_scan(OPENSSL)
    scanned.expects_report("Failed")
    assert run() == "Failed"
    assert f"CVE-2026-0001, CRITICAL, openssl (its exception expired on {YESTERDAY})" in reason(capsys)


def test_an_exception_is_for_its_finding_only(
    scanned: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMAGE_SCAN_EXCEPTIONS", f'{{"CVE-2026-9999": "{TODAY}"}}')
    scanned.returns_scan(OPENSSL)
    scanned.expects_report("Failed")
    assert run() == "Failed"
    assert "expired" not in reason(capsys)


def test_a_reason_names_twenty_findings_and_counts_the_rest(
    scanned: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    scanned.returns_scan(*((f"CVE-2026-{number:04}", "CRITICAL", "openssl") for number in range(23)))
    scanned.expects_report("Failed")
    run()
    told = reason(capsys)
    assert told.count("CVE-") == 20
    assert "; and 3 more: release" in told


def test_the_hook_waits_for_a_scan_that_is_in_progress_or_not_there_yet(scanned: Aws) -> None:
    scanned.returns_no_scan()
    scanned.returns_scan(status="IN_PROGRESS")
    scanned.returns_scan(status="PENDING")
    scanned.returns_scan()
    scanned.expects_report("Succeeded")
    assert run() == "Succeeded"
    assert scanned.slept == [image_scan.SECONDS_BETWEEN_LOOKS] * 3


@pytest.mark.parametrize("status", ["UNSUPPORTED_IMAGE", "FAILED", "ACTIVE", "FINDINGS_UNAVAILABLE"])
def test_an_image_whose_findings_are_unknown_is_not_released(
    scanned: Aws, service: Service, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    scanned.returns_scan(status=status, description="no operating system")
    scanned.expects_report("Failed")
    assert run() == "Failed"
    said = f"the findings of {DIGEST} in images-dev are unknown, because the status of its scan is {status}"
    assert f"{said} (no operating system): docs/operations.md" in reason(capsys)
    assert (service.asked, scanned.slept) == ([], [])


def test_the_wait_ends_a_minute_later_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [300.0]

    def seconds_left() -> float:
        left[0] -= 7.0
        return left[0] + 7.0

    class Ecr:
        class exceptions:  # noqa: N801 - as boto3 has it
            class ScanNotFoundException(Exception):  # noqa: N818
                """Never raised here."""

        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self, **_: object) -> list[dict[str, Any]]:
            return [{"imageScanStatus": {"status": "IN_PROGRESS"}}]

    monkeypatch.setattr(image_scan, "time", SimpleNamespace(sleep=lambda _: None))
    with pytest.raises(image_scan.ScanError, match="the status of its scan is IN_PROGRESS"):
        image_scan.Gate("images-dev", "CRITICAL").check(Ecr(), DIGEST, TODAY, seconds_left)
    assert 300.0 - left[0] < image_scan.LONGEST_WAIT + 7.0


def test_the_wait_leaves_the_time_for_the_report(scanned: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    """A function that is cut off reports nothing, and the deployment hangs for an hour (pitfall N6)."""
    scanned.returns_scan(status="IN_PROGRESS")
    scanned.expects_report("Failed")
    assert run(seconds=hook.REPORT_SECONDS + 1) == "Failed"
    assert "is IN_PROGRESS" in reason(capsys)
    assert scanned.slept == []


def test_the_time_of_the_function_is_that_of_the_scan_of_all_attempts_and_of_the_report() -> None:
    attempts = hook.ATTEMPTS * (hook.ATTEMPT_SECONDS + hook.SECONDS_BETWEEN_ATTEMPTS)
    assert image_scan.LONGEST_WAIT + attempts + hook.REPORT_SECONDS <= 360
