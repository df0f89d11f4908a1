"""The drift check: what it finds, that it tells it once, and that a quiet week has no message."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from infrastructure.constructs.drift_check.function import handler as drift_check
from infrastructure.constructs.drift_check.function import stacks
from infrastructure.constructs.drift_check.function.dates import old_advisories
from infrastructure.constructs.drift_check.function.finding import MOST, Finding, limited, remembered
from unit_tests.infrastructure.constructs.drift_check.drift_fakes import (
    BLUE,
    CERTIFICATE,
    DIGEST,
    GREEN,
    IMAGES,
    Aws,
    drifted_role,
)

LIMIT = 4096
TODAY = datetime.now(UTC).date()


def in_days(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    found = Aws()
    monkeypatch.setattr(boto3, "client", found.client)
    monkeypatch.setattr(stacks, "SECONDS_BETWEEN_LOOKS", 0)
    set_exceptions(monkeypatch)
    for name, value in {
        "SUFFIX": "dev",
        "STACK": "stack-dev",
        "WATCHED_TYPES": "AWS::EC2::SecurityGroup,AWS::IAM::Role",
        "CLUSTER": "cluster-dev",
        "SERVICE": "service-dev",
        "APPLICATION": "application-dev",
        "DEPLOYMENT_GROUP": "deployment-group-dev",
        "PRODUCTION_LISTENER": "production",
        "TEST_LISTENER": "test",
        "TARGET_GROUPS": f"{BLUE},{GREEN}",
        "IMAGE_REPOSITORY_URI": IMAGES,
        "IMAGE_SCAN_THRESHOLD": "CRITICAL",
        "ADVISORIES_UPDATED": in_days(-30),
        "CERTIFICATE": CERTIFICATE,
        "TOPIC": "topic",
        "TOLD": "/drift-check-dev/told",
    }.items():
        monkeypatch.setenv(name, value)
    return found


def set_exceptions(
    monkeypatch: pytest.MonkeyPatch, audit: dict[str, str] | None = None, scan: dict[str, str] | None = None
) -> None:
    lists = {"the dependency audit": audit or {}, "imageScanExceptions": scan or {}}
    monkeypatch.setenv("EXCEPTIONS", json.dumps(lists))


def run() -> dict[str, list[str]]:
    return drift_check.handler({}, None)


def critical(name: str = "CVE-2026-1") -> dict[str, str]:
    return {"name": name, "severity": "CRITICAL"}


LISTS: dict[str, dict[str, dict[str, str]]] = {
    "exception": {"audit": {"CVE-2026-2": in_days(14)}},
    "ended exception": {"scan": {"CVE-2026-2": in_days(-1)}},
}
ENDING = datetime.now(UTC) + timedelta(days=29)
CHANGES: dict[str, dict[str, Any]] = {
    "listener": {"listeners": {"production": GREEN, "test": GREEN}},
    "deleted listener": {"listeners": {"production": BLUE}},
    "role": {"drifts": [drifted_role("other")]},
    "deleted role": {"drifts": [drifted_role("", "DELETED")]},
    "certificate": {"certificate": {"Status": "ISSUED", "NotAfter": ENDING}},
    "certificate of ACM": {"certificate": {"Status": "REVOKED"}},
    "image": {"findings": [critical()]},
    "scan": {"scan": "UNSUPPORTED_IMAGE"},
}


def plant(aws: Aws, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one thing go wrong."""
    if what in LISTS:
        set_exceptions(monkeypatch, **LISTS[what])
    for name, value in CHANGES.get(what, {}).items():
        setattr(aws, name, value)


PLANTED = {
    "listener": "The production listener points to target-group-green-dev, and the PRIMARY task set is "
    "behind target-group-blue-dev. Run: python -m operations drift dev --repair",
    "deleted listener": "The test listener points to nothing: it is deleted",
    "role": "AWS::IAM::Role build-role-dev differs from the template in /Policies/0.",
    "deleted role": "AWS::IAM::Role build-role-dev is deleted",
    "exception": f"The exception for CVE-2026-2 in the dependency audit ends on {in_days(14)}",
    "ended exception": f"The exception for CVE-2026-2 in imageScanExceptions ended on {in_days(-1)}",
    "certificate": f"The certificate {CERTIFICATE} ends on {in_days(29)}",
    "certificate of ACM": f"The certificate {CERTIFICATE} has the status REVOKED",
    "image": f"The live image {DIGEST[:19]} has CVE-2026-1, CRITICAL",
    "scan": "a scan with the status UNSUPPORTED_IMAGE",
}


def test_a_quiet_week_has_seven_checks_and_no_message(aws: Aws) -> None:
    assert [run() for _ in range(7)] == [{}] * 7
    assert not aws.published
    assert aws.parameter == "{}"
    assert aws.asked == [("nested", ("Role",))] * 7, "of the types that it may read, in every stack"


@pytest.mark.parametrize("what", PLANTED)
def test_each_kind_is_told_once_and_once_more_when_it_is_gone(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before = Aws()
    plant(aws, what, monkeypatch)
    assert list(run()) == ["new"]
    assert [run() for _ in range(6)] == [{}] * 6
    (message,) = aws.published
    assert message["Subject"] == "Drift check of dev: 1 new"
    assert PLANTED[what] in message["Message"]

    set_exceptions(monkeypatch)
    aws.listeners, aws.drifts, aws.findings = before.listeners, [], []
    aws.certificate, aws.scan = before.certificate, before.scan
    assert list(run()) == ["gone"]
    assert run() == {}
    assert [each["Subject"] for each in aws.published[1:]] == ["Drift check of dev: 1 gone"]
    assert aws.parameter == "{}"


def test_an_old_database_of_advisories_is_told_once_and_not_again_as_it_grows_older(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run() == {}
    monkeypatch.setenv("ADVISORIES_UPDATED", in_days(-31))
    (line,) = run()["new"]
    assert line.startswith(f"The audit's database of advisories is of {in_days(-31)}: Build finds no")
    text = old_advisories(in_days(-31), TODAY)["the database of advisories"]
    assert old_advisories(in_days(-31), TODAY + timedelta(days=7)) == {"the database of advisories": text}
    assert run() == {}
    monkeypatch.setenv("ADVISORIES_UPDATED", in_days(0))
    assert run() == {"gone": ["advisories: the database of advisories"]}


def test_all_that_is_found_in_one_run_is_one_message(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for what in ("listener", "role", "exception", "certificate", "image"):
        plant(aws, what, monkeypatch)
    assert len(run()["new"]) == 5
    assert len(aws.published) == 1


def test_a_finding_that_changes_is_told_again(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The role has yet another policy, at the same path; the exception ends, and has ended."""
    aws.drifts = [drifted_role("other")]
    set_exceptions(monkeypatch, audit={"CVE-2026-2": in_days(3)})
    run()
    aws.drifts = [drifted_role("yet another")]
    set_exceptions(monkeypatch, audit={"CVE-2026-2": in_days(-1)})
    assert {kind: len(lines) for kind, lines in run().items()} == {"changed": 2}
    assert run() == {}


def test_nothing_is_judged_during_a_deployment_and_nothing_is_gone_because_of_it(aws: Aws) -> None:
    aws.listeners["production"], aws.drifts, aws.findings = GREEN, [drifted_role("x")], [critical()]
    assert len(run()["new"]) == 3
    aws.deployments, aws.status, aws.scan = ["d-1"], "UPDATE_IN_PROGRESS", "IN_PROGRESS"
    aws.listeners["production"], aws.drifts, aws.findings = BLUE, [], []
    assert run() == {}
    aws.deployments, aws.status, aws.scan = [], "UPDATE_COMPLETE", "COMPLETE"
    assert len(run()["gone"]) == 3


def test_the_test_listener_may_point_to_either_group(aws: Aws) -> None:
    aws.listeners["test"] = BLUE
    assert run() == {}


def test_a_check_that_cannot_look_fails_after_the_others_were_told_and_nothing_of_it_is_gone(
    aws: Aws,
) -> None:
    aws.drifts = [drifted_role("x")]
    run()
    aws.detection, aws.findings = "DETECTION_FAILED", [critical()]
    with pytest.raises(drift_check.CheckError, match="CloudFormation: DetectionError: a role was not read"):
        run()
    assert aws.published[-1]["Subject"] == "Drift check of dev: 1 new"
    aws.detection = "DETECTION_COMPLETE"
    assert run() == {}


def test_a_live_image_is_scanned_again_and_what_would_stop_its_release_today_counts(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_exceptions(monkeypatch, scan={"CVE-2026-3": in_days(90)})
    aws.findings = [critical("CVE-2026-3"), {"name": "CVE-2026-4", "severity": "HIGH"}]
    assert run() == {}
    assert aws.scans == [DIGEST]
    monkeypatch.setenv("IMAGE_SCAN_THRESHOLD", "HIGH")
    aws.scanned_today = True
    (line,) = run()["new"]
    assert "CVE-2026-4" in line


def test_an_image_that_was_never_scanned_is_scanned(aws: Aws) -> None:
    aws.scan = "missing"
    assert run() == {}
    assert aws.scans == [DIGEST]


def test_the_threshold_none_and_no_certificate_leave_their_checks_out(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_SCAN_THRESHOLD", "NONE")
    monkeypatch.setenv("CERTIFICATE", "")
    aws.findings, aws.certificate = [critical()], {}
    assert run() == {}
    assert not aws.scans


def test_what_a_run_remembers_fits_into_a_parameter() -> None:
    """The rest of many findings is one finding, which changes with each of them."""
    many: Any = {f"AWS::Lambda::Function {'x' * 64} {number}": Finding(str(number)) for number in range(100)}
    found = dict.fromkeys(
        ("listeners", "CloudFormation", "exceptions", "certificate", "image scan"), limited(many)
    )
    assert len(limited(many)) == MOST + 1
    assert len(json.dumps(remembered({}, found), separators=(",", ":"))) <= LIMIT
    other = {**many, f"AWS::Lambda::Function {'x' * 64} 99": Finding("other")}
    assert limited(other) != limited(many)
