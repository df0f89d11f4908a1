"""What is left: the verdict, the table, and what may not be believed."""

import io
import os
from collections.abc import Callable, Iterator, Mapping

import pytest
from rich.console import Console

from operations import leftovers
from operations.__main__ import main
from operations.account import Account
from operations.errors import OperationsError
from operations.inventory import identity
from operations.inventory.network import network_interfaces
from operations.ownership import Thing
from unit_tests.operations.account_fakes import FakeAccount, refusing

NOBODY = FakeAccount({})
Kinds = Mapping[str, Callable[[Account], Iterator[Thing]]]


def kinds(*things: Thing) -> Kinds:
    return {"CloudFormation stacks": lambda _: iter(()), "things": lambda _: iter(things)}


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who has not signed in anywhere."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def test_an_interface_is_its_security_groups_environments_also_in_anothers_network() -> None:
    def tags(environment: str) -> list[dict[str, str]]:
        return [{"Key": "environment", "Value": environment}]

    account = FakeAccount(
        {
            ("ec2", "describe_vpcs"): {"Vpcs": [{"VpcId": "vpc-1", "Tags": tags("dev")}]},
            ("ec2", "describe_security_groups"): {
                "SecurityGroups": [{"GroupId": "sg-1", "Tags": tags("orders-dev")}, {"GroupId": "sg-default"}]
            },
            ("ec2", "describe_network_interfaces"): {
                "NetworkInterfaces": [
                    {"NetworkInterfaceId": name, "VpcId": "vpc-1", "Groups": [{"GroupId": group}]}
                    for name, group in (("task", "sg-1"), ("other", "sg-default"))
                ]
            },
        }
    )
    found = {thing.name: thing.tags["environment"] for thing in network_interfaces(account)}
    assert found == {"task": "orders-dev", "other": "dev"}


def test_an_empty_account_has_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "KINDS", kinds())
    assert leftovers.find("dev", NOBODY).remaining == ()


def test_an_orphan_of_the_suffix_is_left_and_anothers_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = Thing("log group", "/ecs/task-dev"), Thing("log group", "/ecs/task-prod")
    monkeypatch.setattr(leftovers, "KINDS", kinds(ours, theirs))
    assert leftovers.find("dev", NOBODY).remaining == (ours,)


def test_a_kind_that_cannot_be_asked_is_an_error_and_not_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    account = FakeAccount({("kms", "list_keys"): refusing("AccessDeniedException")})
    monkeypatch.setattr(leftovers, "KINDS", {**kinds(), "KMS keys": identity.keys})
    with pytest.raises(OperationsError, match="cannot look at the KMS keys"):
        leftovers.find("dev", account)


def test_what_aws_keeps_by_design_is_named_and_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Thing("KMS key", "1234", parents=("key of artifacts-dev",), note="PendingDeletion", remains=False)
    monkeypatch.setattr(leftovers, "KINDS", kinds(key))
    found = leftovers.find("dev", NOBODY)
    said = io.StringIO()
    leftovers.tell(found, Console(file=said, width=120))
    assert found.remaining == ()
    assert "KMS key" in said.getvalue()
    assert "0 left of dev, 2 kinds asked (1 that AWS lets go of by itself)" in said.getvalue()


def test_more_pages_than_boto3_can_fetch_are_an_error() -> None:
    account = FakeAccount({("sns", "list_topics"): {"Topics": [], "NextToken": "more"}})
    with pytest.raises(OperationsError, match="has more pages"):
        list(account.pages("sns", "list_topics", "Topics"))


@pytest.mark.parametrize(("things", "code"), [((), 0), ((Thing("ECS cluster", "cluster-dev"),), 1)])
def test_the_command_ends_with_one_if_anything_is_left(
    monkeypatch: pytest.MonkeyPatch, things: tuple[Thing, ...], code: int
) -> None:
    monkeypatch.setattr(leftovers, "KINDS", kinds(*things))
    assert main(["leftovers", "dev"]) == code


def test_no_credentials_end_the_command_with_one_line_and_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_credentials: None
) -> None:
    assert main(["leftovers", "dev"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("operations: ")
    assert said.count("\n") == 1
    assert "credentials" in said


@pytest.mark.parametrize("suffix", ["Dev", "", "a" * 23, "dev--2", "-dev", "dev;rm"])
def test_an_unfit_suffix_is_refused(suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["leftovers", "--", suffix])
    assert ended.value.code == 2
    assert "is no environmentSuffix" in capsys.readouterr().err
