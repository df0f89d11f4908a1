"""Attacks on break-glass, and what it opens: the hook refuses a finding in the image of one pipeline."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.notifications import NotificationQueue, subscribed
from integration_tests.attacks.people import Person, role
from integration_tests.pitfalls.released_pipeline import SUCCEEDED, Released, released_pipeline
from operations import break_glass
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.local_only("it plants findings")]

OPENSSL = ("CVE-2026-0001", "CRITICAL", "openssl")
REASON = "ECR reports a finding that was withdrawn"


@pytest.fixture(scope="module")
def released(cloud: Cloud) -> Iterator[Released]:
    """A pipeline whose image has a critical finding."""
    with released_pipeline(cloud) as found:
        found.plant(OPENSSL)
        yield found


def suffix_of(released: Released) -> str:
    return released.pipeline.stack.suffix


def parameter_of(released: Released) -> str:
    return f"/break-glass-{suffix_of(released)}/test-traffic-hook"


def refused(released: Released) -> dict[str, Any]:
    """Deploy the image again, and assert that the hook refuses it; return the hook's line."""
    production = released.primary_task_set()
    status, code, _ = released.deploy()
    assert (status, code) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert released.primary_task_set() == production
    line = released.hook_line()
    assert "the scan of the image found CVE-2026-0001" in line["reason"]
    return line


def logged(released: Released, operation: str) -> dict[str, Any]:
    """Wait for the event of an operation in the event log; return its detail."""
    group = f"/aws/events/pipeline-{suffix_of(released)}"

    def look() -> dict[str, Any]:
        found = released.client("logs").filter_log_events(logGroupName=group)["events"]
        events = [json.loads(one["message"]) for one in found]
        details = [one["detail"] for one in events if one["detail"].get("name") == parameter_of(released)]
        ours: list[dict[str, Any]] = [one for one in details if one["operation"] == operation]
        if not ours:
            raise NotYetError(f"{details} in {group}")
        return ours[-1]

    return wait_for(f"the event of {operation}", look, deadline=60, interval=0.2)


@contextmanager
def told(released: Released) -> Iterator[NotificationQueue]:
    """Receive what the topic publishes while the context is open."""
    cloud = released.pipeline.stack.cloud
    topic = f"arn:aws:sns:us-east-1:{cloud.account.id}:notifications-{suffix_of(released)}"
    with subscribed(cloud, topic) as notifications:
        yield notifications


def assert_passes(released: Released) -> None:
    """Deploy the image again, and assert that every check ran and that the log says who lets it pass."""
    assert released.deploy() == SUCCEEDED
    line = released.hook_line()
    opened = line["breakGlass"]
    assert (opened["reason"], opened["by"]) == (REASON, released.pipeline.stack.cloud.account.identity["Arn"])
    assert "CVE-2026-0001" in line["ignored"]["imageScan"]
    assert "200 of version" in json.dumps(line["responses"])


def test_only_an_open_break_glass_lets_the_release_pass_and_it_is_told(released: Released) -> None:
    """attack G15: a release gets round the hook without a trace."""
    account, suffix = released.pipeline.stack.cloud.account, suffix_of(released)
    assert refused(released)["breakGlass"] == "closed: nobody has opened it"
    with told(released) as notifications:
        break_glass.open_break_glass(suffix, account, REASON, 30, print)
        messages = notifications.wait_for(f"Break-glass of {suffix}: Create of the parameter")
        assert f"by {account.identity['Arn']}: {REASON}" in str(messages)
        assert REASON in logged(released, "Create")["description"]
        assert_passes(released)
        used = notifications.wait_for(f"Break-glass of {suffix}: Use of the parameter")
        assert f"deployment {released.deployment} of commit" in str(used)
        assert REASON in logged(released, "Use")["description"]
        break_glass.close(suffix, account, print)
        notifications.wait_for(f"Break-glass of {suffix}: Delete of the parameter")
    assert logged(released, "Delete")["name"] == parameter_of(released)
    assert refused(released)["breakGlass"] == "closed: nobody has opened it"


def test_a_parameter_that_is_written_by_hand_opens_no_more_than_the_command(released: Released) -> None:
    """attack G16: the parameter is written without an end, with one in a year, or has ended."""
    ssm, name, now = released.client("ssm"), parameter_of(released), datetime.now(UTC)
    given = {"reason": "mine", "by": "somebody else"}
    with told(released) as notifications:
        for until, why in (
            ({}, "malformed (KeyError: 'until')"),
            ({"until": (now + timedelta(days=365)).isoformat()}, "more than 2:00:00 after it was written"),
            ({"until": (now - timedelta(minutes=1)).isoformat()}, "it ended at"),
        ):
            ssm.put_parameter(Name=name, Value=json.dumps({**given, **until}), Type="String", Overwrite=True)
            assert why in refused(released)["breakGlass"]
        # Without a description, too.
        notifications.wait_for("Create of the parameter", "Update of the parameter")
    ssm.delete_parameter(Name=name)


def test_a_developer_without_the_permission_opens_nothing(released: Released) -> None:
    """attack G17: who may push and start the pipeline opens break-glass for their release."""
    name = parameter_of(released)
    with role(released.pipeline.stack.cloud, f"developers-{suffix_of(released)}") as developers:
        ssm = Person(released.pipeline.stack.cloud, developers, "author").client("ssm")
        with pytest.raises(ClientError, match="not authorized to perform: ssm:PutParameter"):
            ssm.put_parameter(Name=name, Value="{}", Type="String")
