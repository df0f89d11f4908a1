"""What the logs say about a release, from responses that come late."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from harness.cloud import Cloud
from harness.release import Release
from harness.release_logs import break_glass, error_message
from unit_tests.harness.recorded_cloud import RecordedCloud

FAILED = Release("a" * 40, "1", "Failed", build="build-dev:1")
BUILDS = {"builds": [{"logs": {"groupName": "/codebuild/build-dev", "streamName": "1"}}]}


class ShortCloud(RecordedCloud):
    """A recorded cloud with deadlines of two seconds."""

    def minutes(self, *_: float, **__: float) -> float:
        return 2.0


def cloud(**responses: Any) -> Cloud:
    return cast(Cloud, ShortCloud(responses))


def growing(*answers: list[str]) -> Callable[..., dict[str, Any]]:
    """Return an operation that returns these lines, one answer after the other, then the last one again."""
    left = list(answers)

    def call(**_: object) -> dict[str, Any]:
        lines = left.pop(0) if len(left) > 1 else left[0]
        return {"events": [{"message": line} for line in lines]}

    return call


def test_the_error_message_of_a_build_is_the_end_of_its_log_once_that_is_there() -> None:
    """CloudWatch Logs returned nothing, then a part, right after the build had ended."""
    log = growing([], ["E   assert False\n"], ["E   assert False\n", "1 failed\n"])
    found = error_message(cloud(batch_get_builds=BUILDS, get_log_events=log), FAILED, "1 failed")
    assert found == "E   assert False\n1 failed"


def test_a_log_that_never_has_the_expected_line_is_returned_as_it_is() -> None:
    log = growing(["another reason"])
    assert error_message(cloud(batch_get_builds=BUILDS, get_log_events=log), FAILED, "1 failed") == (
        "another reason"
    )


def test_the_error_message_of_a_deployment_is_codedeploys() -> None:
    error = {"code": "ALARM_ACTIVE", "message": "unhealthy-blue-dev"}
    answers = {"get_deployment": {"deploymentInfo": {"errorInformation": error}}}
    failed = Release("a" * 40, "1", "Failed", build="build-dev:1", deployment="d-ABC")
    assert error_message(cloud(**answers), failed) == "ALARM_ACTIVE: unhealthy-blue-dev"


@pytest.mark.parametrize("state", ["open", "closed", "not asked"])
def test_a_deployment_that_passed_by_break_glass_has_its_reason_and_its_end(state: str) -> None:
    """The line of the hook is late."""
    line: dict[str, Any] = {"deployment": "d-1", "status": "Succeeded"}
    if state == "open":
        line["breakGlass"] = {"reason": "the hook is broken", "by": "mary", "until": "noon"}
        line["ignored"] = {"imageScan": "ScanError: no scan", "responses": "HookError: 500"}
    if state == "closed":
        line["breakGlass"] = "closed: nobody has opened it"
    log = growing([], ["START RequestId: d-1", '"d-1"'], ["START RequestId: d-1", '"d-1"', json.dumps(line)])
    found = break_glass(cloud(filter_log_events=log), "group", "d-1")
    opened = "the hook is broken (opened by mary until noon), for ScanError: no scan; HookError: 500"
    assert found == (opened if state == "open" else "")


def test_a_hook_without_a_line_opened_no_break_glass() -> None:
    assert break_glass(cloud(filter_log_events=growing([])), "group", "d-1") == ""
