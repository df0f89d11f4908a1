"""Approvals on the side of the target: which image of a source the hook admits, and who approved it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from infrastructure.constructs.traffic_hook.function import handler as hook
from unit_tests.infrastructure.constructs.traffic_hook.hook_fakes import (
    DIGEST,
    KEY,
    OTHER,
    Aws,
    Service,
    line,
    run,
)

SOURCE = "arn:aws:kms:us-east-1:111111111111:alias/signing-key-qa"
ROLE = "arn:aws:sts::123456789012:assumed-role/approver-role-dev"
MARY = f"{ROLE}/mary"
DEFINITION = f"sha256:{'d' * 64}"
APPROVED = f"{DIGEST} {DEFINITION}"


def version(number: int, value: str = APPROVED, by: str = MARY, hours: float = 0.0) -> dict[str, Any]:
    written = datetime.now(UTC) - timedelta(hours=hours)
    return {"Version": number, "Value": value, "LastModifiedUser": by, "LastModifiedDate": written}


@pytest.fixture
def target(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The AWS of an environment that names approvers, to which an image of a source is promoted."""
    monkeypatch.setenv("SIGNING_KEYS", f"{KEY},{SOURCE}")
    monkeypatch.setenv("APPROVED_IMAGE", "/approvals-dev/image")
    monkeypatch.setenv("APPROVER", ROLE)
    monkeypatch.setattr(hook, "check_signature", lambda _: SOURCE)
    monkeypatch.setattr(aws, "client", lambda name, **_: aws.stubs[name].client)
    monkeypatch.setattr(boto3, "client", aws.client)
    return aws


def returns_history(aws: Aws, *versions: dict[str, Any]) -> None:
    """Return the history of the parameter, a version a page."""
    for number, each in enumerate(versions, 1):
        more = {"NextToken": str(number)} if number < len(versions) else {}
        token = {"NextToken": str(number - 1)} if number > 1 else {}
        aws.stubs["ssm"].add_response(
            "get_parameter_history", {"Parameters": [each], **more}, {"Name": "/approvals-dev/image", **token}
        )


def test_an_image_that_an_approver_approved_last_is_released(
    target: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    target.returns_running_release()
    returns_history(target, version(1, "none", "cloudformation"), version(2, OTHER), version(3))
    target.expects_report("Succeeded")
    assert run() == "Succeeded"
    told = line(capsys)
    assert (told["signedBy"], told["approvedBy"]) == (SOURCE, MARY)


@pytest.mark.parametrize(
    ("versions", "why"),
    [
        ([version(1, "none", "cloudformation")], "the approved image is none"),
        ([version(1, OTHER)], f"the approved image is {OTHER}"),
        # Attack G23: nobody has approved what made the image.
        ([version(1, DIGEST)], "the approval names no definition of the pipeline"),
        ([version(1, f"{DIGEST} mine")], "the approval names no definition of the pipeline"),
        # An earlier approval does not count any more, in whichever order AWS returns them.
        ([version(1), version(2, OTHER)], f"the approved image is {OTHER}"),
        ([version(2, OTHER), version(1)], f"the approved image is {OTHER}"),
        ([version(1, by="arn:aws:iam::123456789012:root")], "arn:aws:iam::123456789012:root wrote it"),
        ([version(1, by=f"{ROLE}-2/mary")], "who is no session of"),
        ([version(1, hours=24.1)], "has expired after 1 day"),
    ],
)
def test_any_other_image_gets_no_traffic(
    target: Aws,
    service: Service,
    capsys: pytest.CaptureFixture[str],
    versions: list[dict[str, Any]],
    why: str,
) -> None:
    target.returns_release()
    target.returns_tasks(("RUNNING", DIGEST))
    returns_history(target, *versions)
    target.expects_report("Failed")
    # The stub has no answer about break-glass, so the test fails if the hook asks for it.
    assert run() == "Failed"
    told = line(capsys)
    assert told["reason"].startswith(f"ApprovalError: no approver has approved the image {DIGEST}")
    assert why in told["reason"]
    assert "breakGlass" not in told
    assert service.asked == []


def test_what_the_environments_own_build_signed_needs_no_approval(
    target: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "check_signature", lambda _: KEY)
    target.returns_running_release()
    target.expects_report("Succeeded")
    assert run() == "Succeeded"


def test_an_environment_that_names_no_approvers_leaves_the_approval_to_the_pipeline(
    target: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APPROVED_IMAGE")
    target.returns_running_release()
    target.expects_report("Succeeded")
    assert run() == "Succeeded"
