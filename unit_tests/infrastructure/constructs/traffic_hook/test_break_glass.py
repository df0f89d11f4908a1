"""Break-glass: which failures of the hook it lets pass, for how long, and what the hook's log says then."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from unit_tests.infrastructure.constructs.traffic_hook.hook_fakes import (
    COMMIT,
    DIGEST,
    OTHER,
    Aws,
    Service,
    line,
    run,
)

NOW = datetime.now(UTC)
BY = "arn:aws:sts::123456789012:assumed-role/operators/mary"
OPENSSL = ("CVE-2026-0001", "CRITICAL", "openssl")


def value(minutes: float = 30.0, **changed: Any) -> str:
    until = (NOW + timedelta(minutes=minutes)).isoformat()
    given = {"reason": "the hook is broken", "by": BY, "until": until, **changed}
    return json.dumps({key: each for key, each in given.items() if each is not None})


def test_an_open_break_glass_lets_every_failed_check_pass_and_the_log_has_all(
    aws: Aws, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.answer = lambda *_: (500, None)
    aws.returns_running_release(scanned=False)
    aws.returns_scan(OPENSSL)
    aws.returns_break_glass(value())
    aws.expects_event(
        f"deployment d-1 of commit {COMMIT} passes without imageScan; responses: "
        f"the hook is broken, says {BY}"
    )
    aws.expects_report("Succeeded")
    assert run() == "Succeeded"
    told = line(capsys)
    assert (told["status"], told["event"]) == ("Succeeded", "told")
    assert told["breakGlass"] == json.loads(value())
    assert told["ignored"]["imageScan"].startswith("ScanError: the scan of the image found CVE-2026-0001")
    assert told["ignored"]["responses"].startswith("HookError: GET http://127.0.0.1:")
    assert told["responses"] == {"GET /health: 500": 4}
    assert "reason" not in told


def test_an_event_that_cannot_be_sent_stops_no_release_and_is_in_the_log(
    aws: Aws, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.answer = lambda *_: (500, None)
    aws.returns_running_release()
    aws.returns_break_glass(value())
    aws.stubs["events"].add_client_error("put_events", "AccessDeniedException")
    aws.expects_report("Succeeded")
    assert run() == "Succeeded"
    assert "AccessDeniedException" in line(capsys)["event"]


def test_a_release_that_passes_its_checks_does_not_ask_for_break_glass(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.returns_running_release()
    aws.returns_break_glass(value())
    aws.expects_report("Succeeded")
    assert run() == "Succeeded"
    assert not {"breakGlass", "ignored"} & line(capsys).keys()


@pytest.mark.parametrize("digest", [OTHER, None])
def test_another_image_than_that_of_the_release_is_not_let_pass(
    aws: Aws, service: Service, capsys: pytest.CaptureFixture[str], digest: str | None
) -> None:
    aws.returns_release()
    aws.returns_tasks(("RUNNING", DIGEST), ("RUNNING", digest))
    aws.returns_break_glass(value())
    aws.expects_report("Failed")
    assert run() == "Failed"
    told = line(capsys)
    assert "runs the image" in told["reason"]
    assert "breakGlass" not in told
    assert service.asked == []


@pytest.mark.parametrize(
    ("given", "written", "why"),
    [
        (value(-1), NOW - timedelta(minutes=10), "it ended at "),
        (value(121), NOW, "more than 2:00:00 after it was written"),
        # Its end is near, but it was written long ago: a value that is written once opens for ever.
        (value(30), NOW - timedelta(days=1), "more than 2:00:00 after it was written"),
        (value(until=None), NOW, "malformed (KeyError: 'until')"),
        (value(until="never"), NOW, "malformed (ValueError"),
        (value(until="2099-12-31T23:59:59"), NOW, "until has no time zone"),
        (value(until=4102444800), NOW, "are to be texts"),
        (value(reason=" "), NOW, "are to be texts"),
        (value(by=None), NOW, "malformed (KeyError: 'by')"),
        ("open", NOW, "malformed (JSONDecodeError"),
        ("[]", NOW, "malformed (TypeError"),
        ("true", NOW, "malformed (TypeError"),
    ],
    # The values have times, which differ between the workers of a run.
    ids=count(1),
)
def test_a_value_that_the_command_would_not_write_opens_nothing_and_the_log_says_why(
    aws: Aws, service: Service, capsys: pytest.CaptureFixture[str], given: str, written: datetime, why: str
) -> None:
    aws.returns_running_release(scanned=False)
    aws.returns_scan(OPENSSL)
    aws.returns_break_glass(given, written=written)
    aws.expects_report("Failed")
    assert run() == "Failed"
    told = line(capsys)
    assert told["breakGlass"].startswith("closed: ")
    assert why in told["breakGlass"]
    assert told["reason"].startswith("ScanError: the scan of the image found")
    assert service.asked == [], "a closed break-glass changes nothing of what the hook does"


def test_without_the_parameter_the_log_says_that_nobody_opened_it(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.returns_running_release(scanned=False)
    aws.returns_scan(OPENSSL)
    aws.expects_report("Failed")
    assert run() == "Failed"
    assert line(capsys)["breakGlass"] == "closed: nobody has opened it"


def test_it_is_closed_if_aws_does_not_say(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied(_: Aws) -> None:
        aws.stubs["ssm"].add_client_error("get_parameter", "AccessDeniedException", "not authorized")

    monkeypatch.setattr(Aws, "_expect_the_question", denied)
    aws.returns_running_release(scanned=False)
    aws.returns_scan(OPENSSL)
    aws.expects_report("Failed")
    assert run() == "Failed"
    told = line(capsys)
    assert "AccessDeniedException" in told["breakGlass"]
    assert told["reason"].startswith("ScanError")
