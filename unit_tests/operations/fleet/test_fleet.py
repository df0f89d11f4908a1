"""`operations fleet`: which environments, how many at once, where it stops, how it resumes, what it asks."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from operations import __main__ as command
from operations import listener_drift
from operations.account import Account
from operations.fleet import command as fleet_command
from operations.fleet import deployment, members
from operations.fleet.cdk import Cdk
from unit_tests.operations.account_fakes import FakeAccount
from unit_tests.operations.fleet.fake_cdk import ALARM, FakeCli, account, cdk, differing, stack

# Calls of boto3 for one environment: its stack and its templates twice, and its traffic before and after.
MOST_CALLS = 20


class Console:
    """Runs the command against an account and a CLI."""

    def __init__(self, given: FakeAccount, cli: FakeCli, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.account = given
        self.cli = cli
        patch.setattr(command, "Account", lambda: self.account)
        patch.setattr(fleet_command, "Cdk", lambda *_: cdk(folder, cli))
        # The command keeps its folder, which has the logs.
        patch.setattr(tempfile, "tempdir", str(folder))

    def __call__(self, *arguments: str) -> int:
        return command.main(["fleet", *arguments])


@pytest.fixture
def cli() -> FakeCli:
    return FakeCli(differing())


@pytest.fixture
def console(cli: FakeCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    """Three services in two waves, and an environment of neither."""
    environments = [stack(name) for name in ("dev", "prod", "topic")]
    environments += [
        stack(f"{service}-{wave}", service) for service in ("orders", "users") for wave in ("dev", "prod")
    ]
    return Console(account(*environments), cli, tmp_path, monkeypatch)


def data(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_plan_shows_each_environment_and_deploys_nothing(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console("plan", "--wave", "dev,prod") == 0
    shown = capsys.readouterr().out
    assert "Other, in all 6 environments" in shown
    assert shown.count("AWS::CloudWatch::Alarm") == 1
    assert "topic" not in shown
    assert console.cli.deployed == []
    assert set(console.account.operations) <= {
        "describe_stacks",
        "list_stack_resources",
        "get_template",
        "get_caller_identity",
    }


def test_the_json_has_the_environments_and_each_difference_once(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console("plan", "--wave", "prod", "--json") == 0
    plan = data(capsys)
    assert [each["suffix"] for each in plan["environments"]] == ["prod", "orders-prod", "users-prod"]
    assert {each["state"] for each in plan["environments"]} == {"changes"}
    (difference,) = plan["differences"]
    assert difference["kind"] == "Other"
    assert difference["environments"] == ["prod", "orders-prod", "users-prod"]


def test_what_only_some_have_is_shown_with_their_names(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = "[~] AWS::SNS::Topic Pipeline/Topic T1\n"
    console.cli.outputs = {"dev": differing(ALARM + topic), "users-dev": differing(topic)}
    console("plan", "--wave", "dev")
    shown = capsys.readouterr().out
    assert "Other, in 2 of 3 environments: dev, users-dev\n  [~] AWS::SNS::Topic Pipeline/Topic\n" in shown
    assert "Other, in 2 of 3 environments: dev, orders-dev\n  [+] AWS::CloudWatch::Alarm" in shown


def test_the_environment_whose_network_others_may_share_is_deployed_first(console: Console) -> None:
    console.cli.failing, console.cli.seconds = {"dev"}, 0.05
    console("deploy", "--wave", "dev", "--at-once", "3")
    assert console.cli.deployed == ["dev"]


def test_each_environment_is_synthesized_once(console: Console) -> None:
    console("deploy", "--wave", "dev,prod")
    assert set(Counter(console.cli.commands).values()) == {1}


def test_waves_are_deployed_in_their_order(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    assert console("deploy", "--wave", "prod,dev", "--json") == 0
    assert set(console.cli.deployed[:3]) == {"prod", "orders-prod", "users-prod"}
    assert set(console.cli.deployed[3:]) == {"dev", "orders-dev", "users-dev"}
    assert [each["state"] for each in data(capsys)["outcomes"]] == ["deployed"] * 6


@pytest.mark.parametrize("at_once", [1, 2])
def test_so_many_environments_are_deployed_at_once_and_no_more(console: Console, at_once: int) -> None:
    console.cli.seconds = 0.05
    assert console("deploy", "--wave", "dev", "--at-once", str(at_once)) == 0
    assert console.cli.most == at_once


def test_after_a_failure_what_has_begun_ends_and_nothing_else_begins(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    console.cli.failing, console.cli.seconds = {"orders-dev", "users-dev"}, 0.05
    assert console("deploy", "--wave", "dev,prod", "--at-once", "2", "--json") == 1
    assert sorted(console.cli.deployed) == ["dev", "orders-dev", "users-dev"]
    states = {each["suffix"]: each["state"] for each in data(capsys)["outcomes"]}
    assert states["orders-dev"] == states["users-dev"] == "failed"
    assert {states[name] for name in ("prod", "orders-prod", "users-prod")} == {"not begun"}


def test_a_failure_is_told_with_the_last_line_of_the_log(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    console.cli.failing = {"prod"}
    console("deploy", "--wave", "prod", "--at-once", "1", "--json")
    (failed,) = (each for each in data(capsys)["outcomes"] if each["state"] == "failed")
    assert failed["reason"].startswith("prod: cdk deploy ended with exit code 1, see ")
    assert failed["reason"].endswith("prod.log: stack-prod failed: UPDATE_ROLLBACK_COMPLETE")


def test_it_resumes_with_what_is_not_deployed_yet(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    console.cli.failing = {"orders-dev"}
    assert console("deploy", "--wave", "dev", "--at-once", "1") == 1
    assert console.cli.deployed == ["dev", "orders-dev"]
    console.cli.failing = set()
    console.cli.deployed.remove("orders-dev")
    capsys.readouterr()
    assert console("deploy", "--wave", "dev", "--at-once", "1", "--json") == 0
    assert console.cli.deployed == ["dev", "orders-dev", "users-dev"]
    assert [each["state"] for each in data(capsys)["outcomes"]] == ["unchanged", "deployed", "deployed"]


def test_a_refused_environment_keeps_all_from_being_deployed(
    cli: FakeCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pitfall C11"""
    given = account(stack("dev"), stack("prod"), settings={"notificationEmail": "ops@acme.org"})
    console = Console(given, cli, tmp_path, monkeypatch)
    assert console("deploy", "--wave", "dev,prod") == 1
    assert cli.deployed == []
    shown = capsys.readouterr().out
    assert "prod refused: notificationEmail (ops@acme.org) would be dropped" in shown


def test_a_stack_that_cloudformation_still_works_on_is_refused(
    cli: FakeCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = account(stack("dev", status="UPDATE_IN_PROGRESS"))
    console = Console(given, cli, tmp_path, monkeypatch)
    assert console("plan", "--wave", "dev") == 1
    assert "dev refused: its stack is UPDATE_IN_PROGRESS: wait for its end" in capsys.readouterr().out


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_listener_that_has_drifted_stops_the_wave(
    console: Console, capsys: pytest.CaptureFixture[str], when: str
) -> None:
    """pitfall C5"""
    listeners = console.account.answers["elbv2", "describe_listeners"]
    elsewhere = {"Type": "forward", "TargetGroupArn": "arn:elsewhere/target-group-green/1"}
    drifted = {"ListenerArn": "production", "Port": 80, "Protocol": "HTTP", "DefaultActions": [elsewhere]}

    def describe_listeners(**_: Any) -> Any:
        has_drifted = when == "before" or bool(console.cli.deployed)
        return {"Listeners": [drifted]} if has_drifted else listeners

    console.account.answers["elbv2", "describe_listeners"] = describe_listeners
    assert console("deploy", "--wave", "dev", "--at-once", "1", "--json") == 1
    assert console.cli.deployed == (["dev"] if when == "after" else [])
    reason = data(capsys)["outcomes"][0]["reason"]
    assert reason == "the production listener has drifted: see `python -m operations drift dev --repair`"


def test_it_waits_for_a_release_before_it_deploys(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[tuple[str, int]] = []

    def wait(suffix: str, _account: Account, minutes: float) -> None:
        assert minutes == deployment.RELEASE_MINUTES
        waited.append((suffix, len(console.cli.deployed)))

    monkeypatch.setattr(listener_drift, "wait_for_deployments", wait)
    assert console("deploy", "--wave", "dev", "--at-once", "1") == 0
    assert waited[:2] == [("dev", 0), ("dev", 1)]


def test_a_wave_without_environments_is_one_line_and_exit_code_2(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console("deploy", "--wave", "dev,pord") == 2
    line = capsys.readouterr().err
    assert line.startswith("operations: account 111111111111 has no environment pord of any service")
    assert "only dev, prod, topic" in line
    assert console.cli.commands == []


def test_an_environment_that_cannot_be_synthesized_ends_the_plan(
    console: Console, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console.cli, "synth", lambda *_: 1)
    assert console("plan", "--wave", "dev") == 2
    assert "cdk synth ended with exit code 1" in capsys.readouterr().err


@pytest.mark.parametrize("wave", ["", "dev,", "dev,dev"])
def test_waves_are_different_names(console: Console, wave: str) -> None:
    with pytest.raises(SystemExit) as ended:
        console("plan", "--wave", wave)
    assert ended.value.code == 2


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_at_least_one_environment_at_once(console: Console, number: str) -> None:
    with pytest.raises(SystemExit) as ended:
        console("plan", "--wave", "dev", "--at-once", number)
    assert ended.value.code == 2


def test_environments_of_the_catalogue_that_are_not_deployed_are_named_and_not_created() -> None:
    context: dict[str, Any] = {"services": {"sample-service": {}, "orders": {}, "users": {}}}
    found = members.find(account(stack("dev"), stack("users-dev", "users")), ["dev"])
    assert members.not_deployed(found, ["dev"], context) == ["orders-dev"]


def test_the_settings_of_the_command_line_reach_each_synthesis(tmp_path: Path) -> None:
    given: list[tuple[str, ...]] = []

    def run(*arguments: str, log: Path) -> int:
        given.append(arguments)
        log.touch()
        return 0

    Cdk(tmp_path, [("allowHttp", "true")], run).synthesize("dev")
    (arguments,) = given
    settings = ("-c", "environmentSuffix=dev", "-c", "allowHttp=true")
    assert arguments == ("synth", "--quiet", *settings, "--output", str(tmp_path / "dev"))


def test_two_hundred_environments_take_a_bounded_number_of_calls_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stacks are listed once for all; no other call grows with the number of environments."""
    environments = [stack(f"service{number}-dev", f"service{number}") for number in range(200)]
    cli = FakeCli(differing(ALARM))
    console = Console(account(*environments), cli, tmp_path, monkeypatch)
    assert console("deploy", "--wave", "dev", "--at-once", "8", "--json") == 0
    (difference,) = data(capsys)["differences"]
    assert len(difference["environments"]) == len(cli.deployed) == 200
    assert cli.most <= 8
    assert len(console.account.asked) <= 200 * MOST_CALLS
    whole = [asked for _, operation, asked in console.account.asked if operation == "describe_stacks"]
    assert whole.count({}) == 1
