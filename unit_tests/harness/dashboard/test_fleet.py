"""The table of the environments, which leads to the page of each."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from botocore.exceptions import ClientError

from harness.dashboard import fleet, server
from integration_tests.support.browser import PageView, open_page
from operations import status
from operations.account import Account
from operations.status import Environment
from unit_tests.harness.dashboard.page_states import EXECUTION, MARKUP, NEW, OLD, RecordedView, served

SINCE = datetime(2026, 11, 24, 3, 8, tzinfo=UTC)
LIVE = Environment("dev", "sample-service", "UPDATE_COMPLETE", OLD, "Greet", "Ada", SINCE)
FLEET = [
    LIVE,
    replace(LIVE, suffix="orders-dev", service="orders", release=f"{NEW[:7]} is running in Deploy: Deploy"),
    replace(
        LIVE,
        suffix="orders-prod",
        service="orders",
        subject=MARKUP,
        author=MARKUP,
        release=f"{NEW[:7]} failed in Build: Test",
        has_failed=True,
        alarms=("errors-blue-orders-prod",),
        drift=("the stack",),
    ),
    Environment("young", "sample-service", "CREATE_IN_PROGRESS"),
]


class Reading:
    """What `operations status` reads; it counts how often."""

    def __init__(self) -> None:
        self.found: list[Environment] | ClientError = FLEET
        self.reads = 0

    def __call__(self, _account: Account) -> list[Environment]:
        self.reads += 1
        if isinstance(self.found, ClientError):
            raise self.found
        return self.found


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    reading = Reading()
    monkeypatch.setattr(status, "fleet", reading)
    monkeypatch.setattr(server, "LOCAL_INTERVAL", 0.05)
    monkeypatch.setattr(Account, "id", "123456789012")
    return reading


@pytest.fixture
def root(reading: Reading) -> Iterator[str]:
    """The address of the table."""
    with served(RecordedView()) as url:
        yield url.removesuffix("it1/")


def test_readers_within_some_seconds_share_one_reading_of_the_account(
    root: str, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("", "", "orders-dev/", "no-such/"):
        requests.get(root + path, timeout=10)
    assert reading.reads == 1
    monkeypatch.setattr(fleet, "SECONDS", 0.0)
    requests.get(root, timeout=10)
    assert reading.reads == 2


def test_each_environment_of_the_account_has_a_page_and_no_other_name(root: str) -> None:
    assert requests.get(f"{root}orders-prod/", timeout=10).ok
    for path in ("no-such/", "no-such/events", f"no-such/reports/{EXECUTION}"):
        answer = requests.get(root + path, timeout=10)
        assert (answer.status_code, answer.text) == (404, "no environment no-such: / lists them")


def test_a_page_before_the_deployment_reads_no_other_environment(reading: Reading) -> None:
    with served(RecordedView()) as url:
        assert requests.get(url, timeout=10).ok
    assert reading.reads == 0


def test_an_account_that_does_not_answer_is_one_line(root: str, reading: Reading) -> None:
    reading.found = ClientError({"Error": {"Code": "Throttling", "Message": "slow"}}, "DescribeStacks")
    for path in ("", "orders-dev/"):
        answer = requests.get(root + path, timeout=10)
        assert answer.status_code == 503
        assert "Throttling" in answer.text


def test_an_account_without_environments_says_so(root: str, reading: Reading) -> None:
    reading.found = []
    text = requests.get(root, timeout=10).text
    assert "0 environments, none with something to look at" in text
    assert "No environment is deployed here." in text


def test_the_table_runs_no_script_and_loads_nothing(root: str) -> None:
    answer = requests.get(root, timeout=10)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy


def test_a_browser_shows_every_environment_and_the_keyboard_reaches_each(root: str, tmp_path: Path) -> None:
    """In a wide window and on a phone; text of a commit stays text."""
    for view in open_page(root, tmp_path):
        assert view.requests == (root,), "it fetched something else"
        assert_shown(view)
        reached = [each for each in view.focused if each.startswith("a ")]
        assert reached == [f"a {each.suffix}" for each in FLEET]


def texts(one: Environment) -> list[str]:
    return [one.suffix, one.service, one.subject, one.author, one.release, *one.alarms, *one.drift]


def assert_shown(view: PageView) -> None:
    assert (view.errors, view.overflow, view.language, view.unnamed) == ((), 0, "en", 0)
    assert {"header", "main", "status"} <= set(view.landmarks)
    assert "Environments" in view.regions
    assert "4 environments, 2 with something to look at" in view.text
    for one in FLEET:
        assert not [text for text in texts(one) if text not in view.text]
    assert OLD[:7] in view.text
    assert "2026-11-24 03:08" in view.text
    assert "CREATE_IN_PROGRESS" in view.text
