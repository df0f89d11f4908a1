"""`make up` and `make down`: which environments they deploy and destroy, without a local_aws."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import down, up
from harness.scenario import ScenarioError
from operations.ownership import Thing


class Told:
    """In place of a scenario: what it was told to do, to which environment."""

    done: list[tuple[str, str]]

    def __init__(self, _cloud: object, suffix: str, progress: Any) -> None:
        self.suffix, self.progress = suffix, progress
        self.outputs = SimpleNamespace(
            clone_url_http=f"http://repository-{suffix}",
            pipeline_name=f"pipeline-{suffix}",
            application_name=f"application-{suffix}",
            deployment_group_name=f"deployment-group-{suffix}",
        )

    def deploy(self) -> None:
        self.done.append(("deploy", self.suffix))

    def seed(self) -> None:
        self.done.append(("seed", self.suffix))

    def destroy(self) -> None:
        self.done.append(("destroy", self.suffix))
        if self.suffix == "broken":
            raise ScenarioError("it stays")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What scenarios are told, on a local_aws that is none."""
    Told.done = []
    running = SimpleNamespace(pid=1, stop=list)
    cloud = SimpleNamespace(endpoint="http://here", time_scale=1.0, containers="processes", account=None)
    for module in (up, down):
        monkeypatch.setattr(module, "Scenario", Told)
        monkeypatch.setattr(module, "find_local_aws", lambda _: running)
        monkeypatch.setattr(module, "cloud_of", lambda *_: cloud)
    monkeypatch.setattr(up, "start", lambda _cloud, suffix, **_: f"http://page/{suffix}")
    monkeypatch.setattr("harness.folders.folder", lambda *_: tmp_path)
    monkeypatch.setattr(down, "folder", lambda _: tmp_path)
    (tmp_path / "local_aws").mkdir()
    return Told.done


def deployed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    things = [Thing("CloudFormation stack", name) for name in names]
    monkeypatch.setattr(down, "stacks", lambda _: iter(things))


@pytest.mark.parametrize(("given", "suffix"), [([], "dev"), (["--suffix", "orders-dev"], "orders-dev")])
def test_up_deploys_the_environment_that_it_is_given(
    given: list[str],
    suffix: str,
    told: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["up", *given])
    assert up.main() == 0
    assert told == [("deploy", suffix), ("seed", suffix)]
    said = capsys.readouterr().out
    assert f"http://page/{suffix}" in said
    assert f"{suffix} runs on local_aws" in said
    assert f"/ecs/task-{suffix} " in said


def test_up_refuses_what_is_no_suffix_before_it_starts_anything(
    told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["up", "--suffix", "../dev"])
    with pytest.raises(SystemExit) as ended:
        up.main()
    assert (ended.value.code, told) == (2, [])


@pytest.mark.parametrize("kept", [True, False])
def test_up_clears_what_an_earlier_server_left_unless_it_goes_on_from_it(
    kept: bool, told: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a reboot no server runs, and what it knew is in its folder."""
    (tmp_path / "dev").mkdir()
    if not kept:
        (tmp_path / "local_aws").rmdir()
    monkeypatch.setattr(up, "find_local_aws", lambda _: None)
    monkeypatch.setattr(up, "start_local_aws", lambda *_, **__: SimpleNamespace(pid=1))
    monkeypatch.setattr("sys.argv", ["up"])
    assert up.main() == 0
    assert (tmp_path / "local_aws").exists() == (tmp_path / "dev").exists() == kept
    assert told[0] == ("deploy", "dev")


def test_down_destroys_every_environment_and_what_a_failed_up_left(
    told: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed(monkeypatch, "CDKToolkit", "stack-dev", "stack-dev-NetworkNested", "stack-orders-dev")
    left = {"half": ["task:1"], "refused": []}
    monkeypatch.setattr(
        "operations.leftovers.find", lambda suffix, _: SimpleNamespace(remaining=left[suffix])
    )
    for suffix in ("dev", *left):
        (tmp_path / suffix).mkdir()
        (tmp_path / suffix / "cdk.log").write_text("$ cdk deploy")
    assert down.main() == 0
    assert told == [("destroy", "orders-dev"), ("destroy", "half"), ("destroy", "dev")]
    assert not (tmp_path / "local_aws").exists()


def test_down_goes_on_after_an_environment_that_stays_and_keeps_what_is_known(
    told: list[tuple[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deployed(monkeypatch, "stack-broken", "stack-dev")
    assert down.main() == 1
    assert told == [("destroy", "broken"), ("destroy", "dev")]
    assert "down: broken: it stays" in capsys.readouterr().err
    assert (tmp_path / "local_aws").exists()
