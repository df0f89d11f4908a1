"""`operations secrets`: what is declared, what has a value, and that no value is seen."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations import __main__ as command
from operations import secrets_command, stored_variables
from unit_tests.operations.account_fakes import FakeAccount
from unit_tests.operations.preflight_account import written

VALUE = "correct-horse-battery"
TAGS = [
    {"Key": "project", "Value": "python-service-pipeline"},
    {"Key": "environment", "Value": "orders-dev"},
]
SET = {
    "Name": "/orders-dev/API_KEY",
    "Type": "SecureString",
    "Version": 3,
    "LastModifiedDate": datetime(2026, 11, 27, 9, 30, tzinfo=UTC),
}
ORDERS = {"secrets": ["API_KEY"], "parameters": ["LOG_LEVEL"]}


class Terminal(io.StringIO):
    """Standard input of a person."""

    def isatty(self) -> bool:
        return True


class Cloud:
    """An account, the catalogue of cdk.json, and standard input."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.patch = patch
        self.account = FakeAccount(
            {
                ("codebuild", "batch_get_projects"): {"projects": []},
                ("ssm", "describe_parameters"): {"Parameters": []},
                ("ssm", "put_parameter"): {"Version": 1},
                ("ssm", "add_tags_to_resource"): {},
            }
        )
        patch.setattr(command, "Account", lambda: self.account)
        self.cdk_json = written(folder, services={"orders": ORDERS})
        read = stored_variables.read
        patch.setattr(secrets_command, "read", lambda suffix, account: read(suffix, account, self.cdk_json))
        self.enter(f"{VALUE}\n")

    def enter(self, text: str) -> None:
        self.patch.setattr("sys.stdin", io.StringIO(text))

    def deployed(self, **kinds: list[str]) -> None:
        """Let the deployed build project have these variables."""
        variables = [
            {"name": kind, "value": json.dumps([{"name": name, "valueFrom": "x"} for name in names])}
            for kind, names in kinds.items()
        ]
        project = {"environment": {"environmentVariables": variables}}
        self.account.answers["codebuild", "batch_get_projects"] = {"projects": [project]}

    def stored(self, *parameters: dict[str, Any]) -> None:
        self.account.answers["ssm", "describe_parameters"] = {"Parameters": list(parameters)}

    def calls(self, operation: str) -> list[dict[str, Any]]:
        return [arguments for _, name, arguments in self.account.asked if name == operation]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cloud:
    return Cloud(monkeypatch, tmp_path)


def run(*words: str) -> int:
    return command.main(["secrets", *words])


@pytest.mark.parametrize(("name", "type_"), [("API_KEY", "SecureString"), ("LOG_LEVEL", "String")])
def test_a_new_value_is_stored_with_the_tags_of_the_environment_and_is_not_printed(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], name: str, type_: str
) -> None:
    assert run("set", "orders-dev", name) == 0
    (put,) = cloud.calls("put_parameter")
    assert put == {"Name": f"/orders-dev/{name}", "Value": VALUE, "Type": type_, "Tags": TAGS}
    said = capsys.readouterr()
    assert f"set /orders-dev/{name} ({type_}), version 1" in said.out
    assert "aws codepipeline start-pipeline-execution --name pipeline-orders-dev" in said.out
    assert VALUE not in said.out + said.err


@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_what_was_set_is_json_for_a_program_without_the_value(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert run("set", "orders-dev", "API_KEY", "--json", *words) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["parameter"], found["type"], found["version"]) == (
        "/orders-dev/API_KEY",
        "SecureString",
        1,
    )
    assert found["dry_run"] is bool(words)
    assert VALUE not in said.out + said.err


def test_another_value_overwrites_the_first_and_keeps_the_tags(cloud: Cloud) -> None:
    """PutParameter refuses tags with Overwrite."""
    cloud.stored(SET)
    assert run("set", "orders-dev", "API_KEY") == 0
    (put,) = cloud.calls("put_parameter")
    assert (put["Overwrite"], "Tags" in put) == (True, False)
    (tagged,) = cloud.calls("add_tags_to_resource")
    assert (tagged["ResourceId"], tagged["Tags"]) == ("/orders-dev/API_KEY", TAGS)


def test_a_person_enters_a_value_without_an_echo(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("shown"))
    monkeypatch.setattr("getpass.getpass", lambda _prompt: VALUE)
    assert run("set", "orders-dev", "API_KEY") == 0
    assert cloud.calls("put_parameter")[0]["Value"] == VALUE


@pytest.mark.parametrize(
    ("entered", "stored"), [("a\nb\n", "a\nb"), ("a\n\n", "a\n"), (" a ", " a "), ("a" * 4096, "a" * 4096)]
)
def test_only_the_last_line_break_is_no_part_of_a_value(cloud: Cloud, entered: str, stored: str) -> None:
    cloud.enter(entered)
    assert run("set", "orders-dev", "API_KEY") == 0
    assert cloud.calls("put_parameter")[0]["Value"] == stored


@pytest.mark.parametrize("entered", ["", "\n", "a" * 4097])
def test_a_value_that_ssm_would_not_take_is_refused_without_showing_it(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], entered: str
) -> None:
    cloud.enter(entered)
    assert run("set", "orders-dev", "API_KEY") == 2
    assert cloud.calls("put_parameter") == []
    assert capsys.readouterr().err.endswith("characters: it must have 1 to 4096\n")


def test_an_error_that_quotes_the_value_does_not_show_it(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**given: Any) -> dict[str, Any]:
        raise ClientError(
            {"Error": {"Code": "Mismatch", "Message": f"{given['Value']} is no"}}, "PutParameter"
        )

    cloud.account.answers["ssm", "put_parameter"] = refuse
    assert run("set", "orders-dev", "API_KEY") == 2
    said = capsys.readouterr().err
    assert "(the value) is no" in said
    assert VALUE not in said


def test_a_value_is_never_an_argument(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("set", "orders-dev", "API_KEY", "value")
    assert ended.value.code == 2
    assert cloud.calls("put_parameter") == []


def test_a_variable_that_nobody_declares_is_refused_with_the_declared_ones(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("set", "orders-dev", "APIKEY") == 2
    said = capsys.readouterr().err
    assert said.startswith("operations: orders-dev declares no variable APIKEY, but API_KEY, LOG_LEVEL")
    assert run("set", "dev", "API_KEY") == 2, "the sample declares none"
    assert "declares no variable API_KEY, but none" in capsys.readouterr().err


def test_what_only_the_deployed_environment_declares_can_still_be_set(cloud: Cloud) -> None:
    cloud.deployed(TASK_SECRETS=["OLD"], TASK_PARAMETERS=["COLOUR"])
    assert run("set", "orders-dev", "OLD") == 0
    assert cloud.calls("put_parameter")[0]["Type"] == "SecureString"


def test_a_dry_run_reads_no_value_and_changes_nothing(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.stored(SET)
    assert run("set", "orders-dev", "API_KEY", "--dry-run") == 0
    assert cloud.calls("put_parameter") == []
    assert capsys.readouterr().out == "would set /orders-dev/API_KEY (SecureString), version 4\n"


def test_a_secret_that_is_stored_in_plain_text_is_a_finding_and_is_not_overwritten(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.stored({**SET, "Type": "String"})
    assert run("set", "orders-dev", "API_KEY") == 2
    assert "aws ssm delete-parameter --name /orders-dev/API_KEY" in capsys.readouterr().err
    assert run("list", "orders-dev") == 1
    assert "stored as String" in capsys.readouterr().out


def test_the_list_tells_what_is_set_and_which_command_sets_what_is_missing(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.stored(SET)
    assert run("list", "orders-dev") == 1, "a missing value is a finding"
    said = capsys.readouterr().out
    assert "version 3" in said
    assert said.splitlines()[-1] == "python -m operations secrets set orders-dev LOG_LEVEL"
    cloud.stored(SET, {**SET, "Name": "/orders-dev/LOG_LEVEL", "Type": "String"})
    assert run("list", "orders-dev") == 0


def test_the_list_as_json_has_every_variable_and_no_value(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.stored(SET)
    assert run("list", "orders-dev", "--json") == 1
    key, level = json.loads(capsys.readouterr().out)
    assert (key["name"], key["version"], key["problem"]) == ("API_KEY", 3, "")
    assert (level["parameter"], level["type"], level["problem"]) == (
        "/orders-dev/LOG_LEVEL",
        "String",
        "missing",
    )
    assert "value" not in key


def test_a_service_without_secrets_has_nothing_to_list(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "dev") == 0
    assert capsys.readouterr().out == "dev declares no secrets and no parameters\n"
    assert cloud.calls("describe_parameters") == []
