"""The approval action waits for its answer, and expires."""

import json
from threading import Event
from typing import Any, cast

import pytest

from local_aws.core.api import AwsError
from local_aws.services.codepipeline import actions
from unit_tests.local_aws.services.codepipeline.declarations import (
    COMMIT,
    action,
    source,
    stage,
)
from unit_tests.local_aws.services.codepipeline.fakes import (
    FakeCloud,
    failed,
    until,
)


def with_approval(**configuration: str) -> list[dict[str, Any]]:
    return [
        stage("Source", source()),
        stage("Ask", action("Approval", "Manual", "Ask", configuration=configuration)),
    ]


def approve(cloud: FakeCloud, token: str, status: str) -> None:
    result = {"status": status, "summary": "seen"}
    where = {"pipelineName": "pipeline-dev", "stageName": "Ask", "actionName": "Ask"}
    cloud.call("PutApprovalResult", **where, token=token, result=result)


@pytest.mark.parametrize(("status", "ends"), [("Approved", "Succeeded"), ("Rejected", "Failed")])
def test_an_approval_waits_for_its_answer(cloud: FakeCloud, status: str, ends: str) -> None:
    execution = cloud.create(stages=with_approval())
    until(lambda: cloud.action("Ask", "Ask").get("token") is not None)
    assert cloud.status(execution) == "InProgress"
    token = cloud.action("Ask", "Ask")["token"]
    with pytest.raises(AwsError, match="InvalidApprovalTokenException"):
        approve(cloud, "00000000-0000-0000-0000-000000000000", status)
    approve(cloud, token, status)
    with pytest.raises(AwsError, match="ApprovalAlreadyCompletedException"):
        approve(cloud, token, status)
    assert cloud.ended(execution) == ends
    assert cloud.action("Ask", "Ask")["summary"] == "seen"


def test_an_approval_in_progress_has_its_token_and_its_question(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script or a person that sees it in progress answers at once."""
    begin = Event()
    monkeypatch.setitem(cast(dict[str, Any], actions.RUNNERS), "Manual", lambda _: begin.wait(10))
    execution = cloud.create(stages=with_approval(CustomData="Release #{SourceVariables.CommitId}?"))
    until(lambda: cloud.action("Ask", "Ask").get("status") == "InProgress")
    asked = cloud.action("Ask", "Ask")
    assert asked["token"]
    assert asked["summary"] == f"Release {COMMIT}?"
    begin.set()
    assert cloud.ended(execution) == "Succeeded"


def test_an_approval_sends_a_notification_to_its_topic(cloud: FakeCloud) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:notifications-dev"
    execution = cloud.create(stages=with_approval(NotificationArn=topic, CustomData="Look at it"))
    until(lambda: bool(cloud.sns.published))
    message = json.loads(cloud.sns.published[0]["Message"])
    assert message["approval"]["token"] == cloud.action("Ask", "Ask")["token"]
    assert message["approval"]["customData"] == "Look at it"
    approve(cloud, message["approval"]["token"], "Approved")
    assert cloud.ended(execution) == "Succeeded"


def test_an_approval_expires_by_the_scaled_clock(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(cloud.clock), "seconds", lambda self, seconds: seconds / 1e7)
    assert "expired" in failed(cloud, "Ask", "Ask", stages=with_approval())["message"]
