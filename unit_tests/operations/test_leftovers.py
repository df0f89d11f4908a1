"""What an account still has of an environment: the findings, the table, and what could not be checked."""

import io
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pytest
from botocore.config import Config
from rich.console import Console

from operations import leftovers
from operations.__main__ import main
from operations.account import Account
from operations.errors import OperationsError
from operations.inventory import identity
from operations.inventory.network import network_interfaces
from operations.ownership import Resource
from unit_tests.operations.account_fakes import FakeAccount, refusing

ACCOUNT = FakeAccount({})
Kinds = Mapping[str, Callable[[Account], Iterator[Resource]]]


def kinds(*resources: Resource) -> Kinds:
    return {"CloudFormation stacks": lambda _: iter(()), "resources": lambda _: iter(resources)}


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials in the environment or in a file."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def test_an_interface_belongs_to_the_environment_of_its_security_group_also_in_a_shared_network() -> None:
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
    found = {resource.name: resource.tags["environment"] for resource in network_interfaces(account)}
    assert found == {"task": "orders-dev", "other": "dev"}


def test_in_an_empty_account_no_resource_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "KINDS", kinds())
    assert leftovers.find("dev", ACCOUNT).remaining == ()


def test_only_resources_of_the_suffix_remain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = Resource("log group", "/ecs/task-dev"), Resource("log group", "/ecs/task-prod")
    monkeypatch.setattr(leftovers, "KINDS", kinds(ours, theirs))
    assert leftovers.find("dev", ACCOUNT).remaining == (ours,)


def test_a_kind_that_cannot_be_listed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    account = FakeAccount({("kms", "list_keys"): refusing("AccessDeniedException")})
    monkeypatch.setattr(leftovers, "KINDS", {**kinds(), "KMS keys": identity.keys})
    with pytest.raises(OperationsError, match="cannot list the KMS keys"):
        leftovers.find("dev", account)


def test_what_aws_deletes_by_itself_is_listed_and_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Resource(
        "KMS key", "1234", parents=("key of artifacts-dev",), note="PendingDeletion", remains=False
    )
    monkeypatch.setattr(leftovers, "KINDS", kinds(key))
    found = leftovers.find("dev", ACCOUNT)
    said = io.StringIO()
    leftovers.print_report(found, Console(file=said, width=120))
    assert found.remaining == ()
    assert "KMS key" in said.getvalue()
    assert (
        "0 resources remain of dev, 2 kinds of resources checked (1 that AWS deletes by itself)"
        in said.getvalue()
    )


def test_more_pages_than_boto3_can_fetch_are_an_error() -> None:
    account = FakeAccount({("sns", "list_topics"): {"Topics": [], "NextToken": "more"}})
    with pytest.raises(OperationsError, match="has more pages"):
        list(account.pages("sns", "list_topics", "Topics"))


@pytest.mark.parametrize(("resources", "code"), [((), 0), ((Resource("ECS cluster", "cluster-dev"),), 1)])
def test_the_command_exits_with_1_if_a_resource_remains(
    monkeypatch: pytest.MonkeyPatch, resources: tuple[Resource, ...], code: int
) -> None:
    monkeypatch.setattr(leftovers, "KINDS", kinds(*resources))
    assert main(["leftovers", "dev"]) == code


def test_the_command_prints_json_for_a_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = Resource(
        "KMS key", "1234", parents=("key of artifacts-dev",), note="PendingDeletion", remains=False
    )
    monkeypatch.setattr(leftovers, "KINDS", kinds(key))
    assert main(["leftovers", "dev", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["resources"]
    assert found == {"kind": "KMS key", "name": "1234", "note": "PendingDeletion", "remains": False}


def test_without_credentials_the_command_prints_one_line_and_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_credentials: None
) -> None:
    assert main(["leftovers", "dev"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("operations: no AWS credentials: set AWS_PROFILE")
    assert said.count("\n") == 1


def test_a_local_aws_that_does_not_run_is_one_line_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        monkeypatch.setattr("operations.account.Config", partial(Config, connect_timeout=1))
        assert main(["leftovers", "dev"]) == 2
    said = capsys.readouterr().err
    assert "is local_aws running (make up)?" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("suffix", ["Dev", "", "a" * 23, "dev--2", "-dev", "dev;rm"])
def test_an_invalid_suffix_is_rejected(suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["leftovers", "--", suffix])
    assert ended.value.code == 2
    assert "is no environmentSuffix" in capsys.readouterr().err
