"""`pytest integration_tests --live` as a person types it, on an account that they have prepared."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.rehearsal.rehearsal import Rehearsal
from operations import leftovers

pytestmark = [
    pytest.mark.slow,
    # With --time-scale 1, AWS's waits take hours.
    pytest.mark.timeout(4 * 3600),
    pytest.mark.local_only("it rehearses --live itself"),
]


def test_no_name_but_those_of_aws_is_known(aws: Rehearsal) -> None:
    assert aws.run("getent", "hosts", "sts.us-east-1.amazonaws.com").startswith("127.0.0.1")
    for name in ("example.com", "no-balancer.us-east-1.elb.amazonaws.com"):
        assert aws.start("getent", "hosts", name).end() == 2, "not found"


@pytest.fixture
def another_secret(aws: Rehearsal) -> Iterator[None]:
    """A home folder whose secret access key is not that of the account."""
    path = Path(aws.home, ".aws", "credentials")
    right = path.read_text()
    path.write_text(re.sub(r"(aws_secret_access_key = ).*", r"\1wrong", right))
    yield
    path.write_text(right)


@pytest.mark.usefixtures("another_secret")
def test_a_wrong_secret_is_refused(aws: Rehearsal) -> None:
    terminal = aws.start("aws", "sts", "get-caller-identity")
    assert terminal.end() != 0
    assert "(SignatureDoesNotMatch)" in terminal.text


def test_the_first_scenario_passes_with_keys_in_the_home_folder_only(aws: Rehearsal) -> None:
    terminal = aws.live()
    assert terminal.end(4 * 3600) == 0, terminal.text
    shown = terminal.text
    assert f"Account {aws.cloud.account.id}, us-east-1" in shown
    assert "--live runs the first scenario" in shown
    (suffix,) = set(re.findall(r"python -m operations destroy (it\w+)", shown))
    assert re.search(r"destroyed: 0 leftovers, \d+ kinds of resources asked", shown)
    assert shown.splitlines()[-1] == f"nothing of {suffix} is left"
    (report,) = re.findall(r"report: (.+)", shown)
    assert "every test of test_first_scenario.py passed" in Path(report).read_text()
    assert not leftovers.find(suffix, aws.cloud.account).remaining
