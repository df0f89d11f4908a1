"""The same play on processes, on docker and on podman, and a comparison of what AWS's APIs answered.

The tests of one engine share an environment, and run in file order.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from fnmatch import fnmatchcase
from typing import Any

import pytest
import requests

from harness.cloud import PROJECT, Cloud, HarnessError
from harness.developer import Developer
from harness.folders import run_folder
from harness.release import Release
from harness.scenario import Scenario
from integration_tests.engines.answers import Answers, reason_of
from integration_tests.engines.differences import DIFFERENCES
from integration_tests.engines.docker_daemon import docker
from integration_tests.engines.machine import ENGINES, missing, run
from integration_tests.engines.own_podman import podman
from integration_tests.engines.tasks import FACTS, Tasks
from integration_tests.engines.trial import check_container
from integration_tests.support.bad_commits import IN_PRODUCTION
from integration_tests.support.restartable import RestartableServer, restartable
from integration_tests.support.scenario_fixtures import running_scenario
from integration_tests.support.waits import wait_until_steady
from operations.errors import OperationsError

PROCESSES = "processes"
ENDINGS = ("exit code", "stopped", "out of memory")
# What decides how a container runs; docker writes every other field, too, without a value.
CONFIG = ("Cmd", "Entrypoint", "ExposedPorts", "User", "WorkingDir")
START = {"docker": docker, "podman": podman}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.local_only("on AWS, Fargate runs the containers"),
]


@pytest.fixture(scope="module", params=(*ENGINES, PROCESSES))
def engine(request: pytest.FixtureRequest, answers: Answers) -> Iterator[str]:
    """The engine that local_aws uses; docker and podman are our own, and have nothing left at the end."""
    name = str(request.param)
    with pytest.MonkeyPatch.context() as variables, ExitStack() as own:
        variables.setenv("LOCAL_AWS_CONTAINERS", name)
        if name == PROCESSES:
            if not answers.of:
                pytest.skip("processes: no engine was played to compare with")
            yield name
            return
        try:
            start(name, variables, own)
        except OperationsError as error:
            # A container of another engine may have the engine, and root, and not be allowed what it takes.
            pytest.skip(f"{name}: {error}")
        yield name
        assert_nothing_left(name)


def start(engine: str, variables: pytest.MonkeyPatch, own: ExitStack) -> None:
    """Start an engine, and run a container. Raises `OperationsError` if the machine does not allow it."""
    if reason := missing(engine):
        raise HarnessError(reason)
    for variable, value in own.enter_context(START[engine]()).items():
        variables.setenv(variable, value)
    check_container(engine)


def assert_nothing_left(engine: str) -> None:
    """Assert that local_aws has removed everything from an engine but the base image."""
    assert run(engine, "ps", "--all", "--quiet") == ""
    assert run(engine, "volume", "ls", "--quiet") == ""
    (image,) = run(engine, "images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    assert image.startswith("public.ecr.aws/")


@pytest.fixture(scope="module")
def server(engine: str) -> Iterator[RestartableServer]:
    """A local_aws for this engine alone."""
    with restartable(run_folder(f"engines-{engine}")) as server:
        assert server.cloud.containers.startswith(engine)
        yield server


@pytest.fixture(scope="module")
def cloud(server: RestartableServer) -> Cloud:
    """The cloud of that local_aws."""
    return server.cloud


@pytest.fixture(scope="module")
def scenario(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """An environment on this engine."""
    with running_scenario(cloud, request) as scenario:
        yield scenario


@pytest.fixture(scope="module")
def tasks(deployed: Scenario) -> Tasks:
    """The tasks of the environment, with the seeded commit released."""
    return Tasks(deployed)


def test_the_first_scenario_passes_unchanged(engine: str) -> None:
    if engine == PROCESSES:
        pytest.skip("processes: make integration plays it")
    words = [sys.executable, "-m", "pytest", "--quiet", "integration_tests/test_first_scenario.py"]
    done = subprocess.run(  # noqa: S603 - our own arguments
        words, cwd=PROJECT, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_a_commit_is_released(
    engine: str, deployed: Scenario, developer: Developer, tasks: Tasks, answers: Answers
) -> None:
    with deployed.probing(50) as prober:
        release = deployed.push(developer, developer.greet("Hello from a container"))
        figures = deployed.settle(prober, release.commit)
    assert figures.failures == 0, prober.failures[:3]
    wait_until_steady(deployed)
    answers.record(engine, "release", described(deployed, release))
    answers.record(engine, "image", image_of(deployed))
    running = tasks.of_service("RUNNING")
    assert {one["healthStatus"] for one in running} == {"HEALTHY"}
    answers.record(engine, "task of the service", running[0])
    answers.record(engine, "log of the service", tasks.lines(running[0])[:4])
    (replaced, *_) = tasks.of_service("STOPPED")
    answers.record(engine, "replaced task", replaced)


def described(scenario: Scenario, release: Release) -> dict[str, Any]:
    """Return what CodePipeline, CodeBuild and CodeDeploy say of a release."""
    assert release.build is not None
    (build,) = scenario.cloud.client("codebuild").batch_get_builds(ids=[release.build])["builds"]
    phases = {one["phaseType"]: one.get("phaseStatus") for one in build["phases"]}
    return {
        "status": release.status,
        "stages": release.stage_statuses,
        "events": dict(release.events),
        "reason": release.reason,
        "phases of the build": phases,
    }


def image_of(scenario: Scenario) -> dict[str, Any]:
    """Return what ECR says of the newest image, its manifest and its configuration."""
    ecr, repository = scenario.cloud.client("ecr"), scenario.outputs.image_repository_name
    found = [one for one in ecr.describe_images(repositoryName=repository)["imageDetails"] if is_service(one)]
    newest = max(found, key=lambda one: one["imagePushedAt"])
    digest = {"imageDigest": newest["imageDigest"]}
    (image,) = ecr.batch_get_image(repositoryName=repository, imageIds=[digest])["images"]
    manifest = json.loads(image["imageManifest"])
    layer = manifest["config"]["digest"]
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=layer)["downloadUrl"]
    configuration = requests.get(url, timeout=10).json()
    return {
        "media types": [newest["imageManifestMediaType"], manifest["config"]["mediaType"]],
        "media types of layers": sorted({one["mediaType"] for one in manifest["layers"]}),
        "config": {name: configuration["config"].get(name) for name in CONFIG},
        "variables": sorted(configuration["config"]["Env"]),
        "platform": [configuration["os"], configuration["architecture"]],
        "fields": sorted(newest),
    }


def is_service(image: dict[str, Any]) -> bool:
    """Return whether an image is the service's, and not what is attached to one."""
    return any(tag.startswith("commit-") for tag in image.get("imageTags", ()))


def test_tasks_end_as_on_ecs(engine: str, tasks: Tasks, answers: Answers) -> None:
    ended = tasks.play()
    for name, task in ended.items():
        answers.record(engine, f"task, {name}", task)
        lines = tasks.lines(task)
        if name == FACTS:
            answers.record(engine, "facts in a task", json.loads(lines.pop(0)))
        answers.record(engine, f"log, {name}", lines)
    (code,), (stopped,), (killed,) = (ended[name]["containers"] for name in ENDINGS)
    assert code["exitCode"] == 3
    assert stopped["exitCode"] == 5, "a program that handles SIGTERM ends by itself"
    assert killed["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert killed["exitCode"] == 137
    assert ended["unknown program"]["stoppedReason"].startswith("CannotStartContainerError: ")
    assert ended["unknown image"]["stoppedReason"].startswith("CannotPullContainerError: ")


def test_a_canary_that_fails_is_rolled_back(
    engine: str, deployed: Scenario, developer: Developer, answers: Answers
) -> None:
    old = deployed.served_version()
    with deployed.probing(100) as prober:
        IN_PRODUCTION.make(developer.clone)
        commit = developer.commit("Make a mistake that shows in production")
        developer.push()
        release = deployed.follow(commit)
        assert release.deployment is not None
        rollback = deployed.releases.rollback(release.deployment)
        deployed.settle(prober, old)
    assert rollback == "Succeeded"
    assert "AllowTraffic" in dict(release.events)
    answers.record(engine, "rolled back", {**described(deployed, release), "rollback": rollback})
    answers.record(engine, "rolled back: responses", sorted(prober.figures().statuses))


def test_tasks_serve_again_after_sigkill(
    engine: str, server: RestartableServer, deployed: Scenario, tasks: Tasks, answers: Answers
) -> None:
    old, before = deployed.served_version(), tasks.of_service("RUNNING")
    server.kill()
    server.start()
    deployed.wait_until_served(old)
    wait_until_steady(deployed)
    after = tasks.of_service("RUNNING")
    assert len(after) == len(before)
    assert not {one["taskArn"] for one in before} & {one["taskArn"] for one in after}
    arns = [one["taskArn"] for one in before]
    (lost, *_) = tasks.ecs.describe_tasks(cluster=tasks.cluster, tasks=arns)["tasks"]
    answers.record(engine, "killed task", lost)
    answers.record(engine, "task after the restart", after[0])


def test_engines_and_processes_answer_alike_but_for_what_is_known(answers: Answers) -> None:
    if len(answers.of) < 2:
        pytest.skip("there is nothing to compare with")
    print(answers.table(DIFFERENCES))
    different = answers.differences()
    assert [name for name in different if not reason_of(name, DIFFERENCES)] == []
    if set(answers.of) == {PROCESSES, *ENGINES}:
        met = {one for one in DIFFERENCES for name in different if fnmatchcase(name, one)}
        assert set(DIFFERENCES) == met, "what is no longer different has no entry"
