"""Tasks, builds and repositories after a kill of local_aws: tasks restart, builds have failed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.persistence import snapshots
from local_aws.services.codebuild.service import CodeBuild
from local_aws.services.codecommit.service import CodeCommit
from local_aws.services.ecs.service import Ecs
from unit_tests.local_aws.containers.fakes import until
from unit_tests.local_aws.persistence.restarts import restored
from unit_tests.local_aws.services.codebuild.fakes import World
from unit_tests.local_aws.services.ecs.fakes import Cloud, cloud
from unit_tests.local_aws.services.ecs.service_fakes import BLUE


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(tmp_path, monkeypatch) as found:
        found.define()
        yield found


def restart(aws: Cloud) -> None:
    """Stop ECS, its containers and their threads; start another with its snapshot."""
    snapshot = snapshots.dump(aws.ecs)
    registered = {arn: set(targets) for arn, targets in aws.elb.targets.items()}
    aws.ecs.stop()
    until(lambda: not aws.engine.living)
    # A killed process deregisters no target.
    aws.elb.targets = registered
    aws.events.clear()
    aws.ecs = restored(Ecs(aws.context, aws.engine), snapshot)
    aws.ecs.resume()


def test_a_service_starts_new_tasks_and_deregisters_the_dead_ones(aws: Cloud) -> None:
    aws.create()
    until(lambda: aws.sets() == {"PRIMARY": "STEADY_STATE"})
    before = aws.tasks()
    restart(aws)
    until(lambda: len(aws.engine.living) == 2 and aws.sets() == {"PRIMARY": "STEADY_STATE"})
    for arn in before:
        lost = aws.task(arn)
        assert (lost["lastStatus"], lost["stopCode"]) == ("STOPPED", "EssentialContainerExited")
        assert lost["containers"][0]["exitCode"] == 137
    assert aws.elb.targets[BLUE] == {one.address for one in aws.engine.living}
    stopped = [detail["taskArn"] for kind, detail in aws.events if detail.get("lastStatus") == "STOPPED"]
    assert sorted(stopped) == sorted(before), "and there is an event for each"


def test_a_task_without_a_service_stays_stopped(aws: Cloud) -> None:
    arn = aws.run()
    until(lambda: aws.task(arn)["lastStatus"] == "RUNNING")
    restart(aws)
    assert aws.task(arn)["lastStatus"] == "STOPPED"
    assert aws.engine.living == []


def test_an_interrupted_build_ends_with_status_fault_and_its_event(tmp_path: Path) -> None:
    world = World(tmp_path)
    build = world.start("version: 0.2\nphases:\n  build:\n    commands: ['sleep 60']\n")
    until(lambda: world.codebuild.builds[build].shape["currentPhase"] == "BUILD")
    snapshot = snapshots.dump(world.codebuild)
    world.codebuild.stop()
    world.events.clear()
    world.codebuild = world.aws.codebuild = restored(CodeBuild(world.context, world.docker), snapshot)
    world.codebuild.resume()
    (shown,) = world.codebuild.call("BatchGetBuilds", {"ids": [build]})["builds"]
    assert (shown["buildStatus"], shown["buildComplete"]) == ("FAULT", True)
    phases = {phase["phaseType"]: phase for phase in shown["phases"]}
    assert phases["BUILD"]["phaseStatus"] == "FAULT"
    assert phases["BUILD"]["contexts"][0]["message"] == "local_aws ended during the build"
    assert world.events[-1][1]["build-status"] == "FAULT"
    assert world.locked == []


@pytest.fixture
def events() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def context(tmp_path: Path, events: list[dict[str, Any]]) -> Context:
    return Context(tmp_path, "http://127.0.0.1:1", Clock(), "test", lambda *event: events.append(event[3]))


def test_an_unannounced_push_is_announced_once(
    context: Context, events: list[dict[str, Any]], tmp_path: Path
) -> None:
    codecommit = CodeCommit(context)
    codecommit.call("CreateRepository", {"repositoryName": "repository-dev"})
    snapshot = snapshots.dump(codecommit)
    # The push arrives; local_aws is killed before it can say so.
    path = codecommit.repositories["repository-dev"].git.path
    people = {
        f"GIT_{who}_{what}": f"{what}@example.com"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }

    def git(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own arguments
            ["git", "-C", str(path), *arguments],  # noqa: S607 - the git on PATH
            env={**people, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    tree = git("hash-object", "-t", "tree", "-w", "/dev/null")
    commit = git("commit-tree", tree, "-m", "Say hello")
    git("update-ref", "refs/heads/main", commit)
    restarted = restored(CodeCommit(context), snapshot)
    restarted.resume()
    until(lambda: len(events) == 1)
    assert (events[0]["event"], events[0]["commitId"]) == ("referenceCreated", commit)
    third = restored(CodeCommit(context), snapshots.dump(restarted))
    third.resume()
    assert len(events) == 1
