"""The commands `up` and `down`: which environments they deploy and destroy; no local_aws runs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from harness import down, up
from harness.__main__ import main
from harness.cloud import HarnessError
from harness.scenario import ScenarioError
from operations.ownership import Resource
from operations.stored_variables import Variable
from operations.waiting import TimedOutError


class RecordedScenario:
    """In place of a scenario: what it was scenario_calls to do, to which environment."""

    calls: list[tuple[str, str]]

    def __init__(self, cloud: object, suffix: str, progress: Any) -> None:
        self.suffix, self.progress = suffix, progress
        self.cloud, self.environment = cloud, SimpleNamespace(suffix=suffix)
        self.outputs = SimpleNamespace(
            clone_url_http=f"http://repository-{suffix}",
            pipeline_name=f"pipeline-{suffix}",
            application_name=f"application-{suffix}",
            deployment_group_name=f"deployment-group-{suffix}",
            task_log_group_name=f"/ecs/task-{suffix}",
        )

    def deploy(self) -> None:
        self.calls.append(("deploy", self.suffix))
        self.progress.url = "http://service"

    def wait_for_seed(self) -> None:
        self.calls.append(("seed", self.suffix))

    def destroy(self) -> None:
        self.calls.append(("destroy", self.suffix))
        if self.suffix == "broken":
            raise ScenarioError("it stays")


@pytest.fixture
def scenario_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The calls of scenarios; no local_aws runs."""
    RecordedScenario.calls = []
    running = SimpleNamespace(
        pid=1, stop=list, endpoint="http://127.0.0.1:4567", credentials_file=tmp_path / "environment"
    )
    about = {"containers": "processes", "isolation": "isolated"}
    cloud = SimpleNamespace(endpoint="http://here", time_scale=1.0, account=None, **about)
    for module in (up, down):
        monkeypatch.setattr(module, "Scenario", RecordedScenario)
        monkeypatch.setattr(module, "find_local_aws", lambda _: running)
        monkeypatch.setattr(module, "local_cloud", lambda *_: cloud)
    monkeypatch.setattr("operations.stored_variables.read", lambda *_: [])
    monkeypatch.setattr(up, "start_dashboard", lambda _cloud, suffix, **_: f"http://page/{suffix}")
    monkeypatch.setattr("harness.folders.folder", lambda *_: tmp_path)
    monkeypatch.setattr(down, "folder", lambda _: tmp_path)
    (tmp_path / "local_aws").mkdir()
    return RecordedScenario.calls


def deployed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    things = [Resource("CloudFormation stack", name) for name in names]
    monkeypatch.setattr(down, "stacks", lambda _: iter(things))


@pytest.mark.parametrize(("given", "suffix"), [([], "dev"), (["--suffix", "orders-dev"], "orders-dev")])
def test_up_deploys_the_environment_that_it_is_given(
    given: list[str],
    suffix: str,
    scenario_calls: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["up", *given]) == 0
    assert scenario_calls == [("deploy", suffix), ("seed", suffix)]
    output = capsys.readouterr().out
    assert output.startswith("containers: processes\n"), "before anything is deployed"
    assert f"  dashboard http://page/{suffix}\n" in output
    assert "curl -si http://service/\n" in output
    assert f"{suffix} runs on local_aws" in output
    assert f"/ecs/task-{suffix} " in output


@pytest.mark.parametrize(
    "error",
    [
        ScenarioError("the release of abc did not succeed"),
        TimedOutError("release of commit abc", 600, "Build InProgress"),
    ],
    ids=["failed", "still running"],
)
def test_up_after_a_failed_release_or_during_one_still_prints_what_to_try_and_exits_with_1(
    error: Exception,
    scenario_calls: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def failed(_: object) -> None:
        raise error

    monkeypatch.setattr(RecordedScenario, "wait_for_seed", failed)
    assert main(["up"]) == 1
    said = capsys.readouterr()
    assert "dev runs on local_aws" in said.out
    assert "  dashboard http://page/dev\n" in said.out
    assert said.err == f"up: the environment runs, but {error}\n"
    assert scenario_calls == [("deploy", "dev")]


def test_up_names_the_commands_for_missing_secrets_before_it_deploys(
    scenario_calls: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = [
        Variable("API_KEY", "/orders-dev/API_KEY", "SecureString"),
        Variable("LOG_LEVEL", "/orders-dev/LOG_LEVEL", "String", "String", 1),
    ]
    monkeypatch.setattr("operations.stored_variables.read", lambda *_: variables)
    assert main(["up", "--suffix", "orders-dev"]) == 2
    said = capsys.readouterr().err
    assert "orders-dev: API_KEY is missing. Set it, and run make up again:" in said
    assert said.splitlines()[-1] == "  .venv/bin/python -m operations secrets set orders-dev API_KEY"
    assert scenario_calls == []


def test_up_says_where_local_aws_runs_instead_of_ignoring_the_port(
    scenario_calls: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["up", "--port", "4999"]) == 2
    assert capsys.readouterr().err == (
        "up: local_aws runs on port 4567: make up PORT=4567, or first make down\n"
    )
    assert scenario_calls == []
    assert main(["up", "--port", "4567"]) == 0


@pytest.mark.parametrize(("has_greeting", "change"), [(True, "sed -i"), (False, "# change something, then:")])
def test_what_to_try_fits_the_service(
    has_greeting: bool,
    change: str,
    scenario_calls: list[tuple[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "orders"
    folder.mkdir()
    if has_greeting:
        (folder / "greeting.py").touch()
    monkeypatch.setattr(up, "code_folder", lambda _: folder)
    assert main(["up", "--suffix", "orders-dev"]) == 0
    output = capsys.readouterr().out
    assert " orders && cd orders\n" in output
    assert change in output
    assert scenario_calls


@pytest.mark.parametrize("given", [["--suffix", "../dev"], ["--port", "65536"], ["--port", "-1"]])
def test_up_rejects_invalid_options_before_it_starts_anything(
    given: list[str], scenario_calls: list[tuple[str, str]]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["up", *given])
    assert (ended.value.code, scenario_calls) == (2, [])


@pytest.mark.parametrize("suffix", ["sample-service", "abcdefghijklmnopq"])
def test_up_refuses_a_suffix_that_the_app_refuses_before_it_starts_anything(
    suffix: str, scenario_calls: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Else its page would show an environment that never comes."""
    assert main(["up", "--suffix", suffix]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.startswith(f"up: {suffix} is ")) == ("", True)
    assert scenario_calls == []


@pytest.mark.parametrize("kept", [True, False])
def test_up_removes_the_files_of_an_earlier_server_unless_it_resumes(
    kept: bool, scenario_calls: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a reboot no server runs, and its state is in its folder."""
    (tmp_path / "dev").mkdir()
    if not kept:
        (tmp_path / "local_aws").rmdir()
    monkeypatch.setattr(up, "find_local_aws", lambda _: None)
    monkeypatch.setattr(
        up, "start_local_aws", lambda *_, **__: SimpleNamespace(pid=1, credentials_file=tmp_path)
    )
    assert main(["up"]) == 0
    assert (tmp_path / "local_aws").exists() == (tmp_path / "dev").exists() == kept
    assert scenario_calls[0] == ("deploy", "dev")


@pytest.mark.parametrize("command", ["up", "demo", "iam-usage", "check-service sample-service"])
def test_the_start_of_local_aws_is_told_while_it_lasts(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(*_: object, **__: object) -> None:
        assert capsys.readouterr().out.endswith("  starting local_aws\n")
        raise HarnessError("it does not start")

    monkeypatch.setattr(up, "find_local_aws", lambda _: None)
    monkeypatch.setattr(up, "start_local_aws", start)
    monkeypatch.setattr("harness.local.start_local_aws", start)
    monkeypatch.setattr("harness.folders.folder", lambda *_: tmp_path)
    assert main(command.split()) == 2
    assert capsys.readouterr().err.endswith(": it does not start\n")


def test_down_tells_that_it_stops_local_aws(
    scenario_calls: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(monkeypatch)
    assert main(["down"]) == 0
    assert capsys.readouterr().out.endswith("  stopping local_aws\n")
    assert scenario_calls == []


def test_down_destroys_every_environment_and_what_a_failed_up_left(
    scenario_calls: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed(monkeypatch, "CDKToolkit", "stack-dev", "stack-dev-NetworkNested", "stack-orders-dev")
    left = {"half": ["task:1"], "refused": []}
    monkeypatch.setattr(
        "operations.leftovers.find", lambda suffix, _: SimpleNamespace(remaining=left[suffix])
    )
    for suffix in ("dev", *left):
        (tmp_path / suffix).mkdir()
        (tmp_path / suffix / "cdk.log").write_text("$ cdk deploy")
    assert main(["down"]) == 0
    assert scenario_calls == [("destroy", "orders-dev"), ("destroy", "half"), ("destroy", "dev")]
    assert not (tmp_path / "local_aws").exists()


def test_down_continues_after_an_environment_that_remains_and_keeps_the_state(
    scenario_calls: list[tuple[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deployed(monkeypatch, "stack-broken", "stack-dev")
    assert main(["down"]) == 1
    assert scenario_calls == [("destroy", "broken"), ("destroy", "dev")]
    assert "down: broken: it stays" in capsys.readouterr().err
    assert (tmp_path / "local_aws").exists()


def test_down_is_one_line_when_local_aws_is_killed_meanwhile(
    scenario_calls: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def killed(_: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:4566")

    monkeypatch.setattr(down, "stacks", killed)
    assert main(["down"]) == 2
    assert scenario_calls == []
    assert capsys.readouterr().err.splitlines() == [
        'down: local_aws stopped answering: Could not connect to the endpoint URL: "http://127.0.0.1:4566". '
        "Run `make down` again to remove what remains"
    ]


@pytest.mark.parametrize("command", ["up", "down", "demo", "check-service", "dashboard", "iam-usage"])
def test_each_command_has_a_help_page(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"python -m harness {command}" in capsys.readouterr().out
