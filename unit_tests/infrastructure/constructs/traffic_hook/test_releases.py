"""The test-traffic hook: which releases it tests, by their commit and by the images of their tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infrastructure.constructs.traffic_hook.function import handler as hook
from unit_tests.infrastructure.constructs.traffic_hook.hook_fakes import (
    DIGEST,
    OTHER,
    TASK_DEFINITION,
    Aws,
    Context,
    Service,
    line,
    run,
)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"external_id": "d-2"}, "has 0 task sets of this deployment"),
        ({"container": "web"}, "has no container app"),
        ({"commit": None}, "is None, not a commit"),
        ({"commit": "${IMAGE_TAG}"}, "is ${IMAGE_TAG}, not a commit"),
        ({"image": "images-dev:latest"}, "is images-dev:latest, without a digest"),
    ],
)
def test_a_release_without_a_commit_or_a_digest_fails_without_a_request(
    aws: Aws, service: Service, capsys: pytest.CaptureFixture[str], told: dict[str, Any], said: str
) -> None:
    aws.returns_release(**told)
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert said in line(capsys)["reason"]
    assert service.asked == []


def test_a_service_without_a_version_is_released_by_its_image_and_its_statuses(
    aws: Aws, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An ordinary API has no header of ours and no page at `/` (pitfall N8)."""
    paths = [
        {"path": "/api/items", "status": 200},
        {"path": "/", "status": 404},
        {"path": "/me", "status": 302},
    ]
    monkeypatch.setenv("SMOKE_PATHS", json.dumps(paths))
    service.answer = lambda path, _: ({"/": 404, "/me": 302}.get(path, 200), None)
    aws.returns_running_release()
    aws.expects_report("Succeeded")
    assert run() == "Succeeded"
    # The first attempt may have met the old version.
    assert aws.slept == [10.0]
    assert line(capsys)["responses"] == {"GET /api/items: 200": 8, "GET /: 404": 6, "GET /me: 302": 6}


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        (
            [("RUNNING", DIGEST), ("RUNNING", OTHER)],
            f"/1 runs the image {OTHER}, but {TASK_DEFINITION} names {DIGEST}",
        ),
        ([("RUNNING", None)], f"/0 runs the image None, but {TASK_DEFINITION} names {DIGEST}"),
        ([("PENDING", DIGEST)], "no task of the task set ecs-svc/2 is running"),
        ([], "no task of the task set ecs-svc/2 is running"),
    ],
    ids=["another image", "an unknown image", "no running task", "no task"],
)
def test_a_task_with_another_image_fails_the_deployment_without_a_request(
    aws: Aws,
    service: Service,
    capsys: pytest.CaptureFixture[str],
    tasks: list[tuple[str, str | None]],
    said: str,
) -> None:
    aws.returns_release()
    aws.returns_tasks(*tasks)
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert said in line(capsys)["reason"]
    assert service.asked == []


def test_a_task_that_starts_beside_running_ones_is_not_checked_yet(aws: Aws) -> None:
    aws.returns_release()
    aws.returns_tasks(("RUNNING", DIGEST), ("PENDING", None))
    aws.returns_scan()
    aws.expects_report("Succeeded")
    assert run() == "Succeeded"


def test_the_schedule_calls_nothing(aws: Aws, service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """It only keeps the function Active (pitfall N7); a call would fail here, as none is expected."""
    assert hook.handler({"keepActive": True}, Context()) == {"status": "Active"}
    assert (service.asked, capsys.readouterr().out) == ([], "")
