"""The commands of buildspec.yml, run as CodeBuild runs them, without AWS and Docker."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from unit_tests.contract.contract_files import ENVIRONMENT, ROOT, Contract
from unit_tests.contract.recorded_build import COMMIT, DIGEST, IMAGE, Build

RENDERED = ("taskdef-staging.json", "taskdef.json")


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a build in an empty folder with the contract's taskdef.json and appspec.yaml."""
    for name in ("taskdef.json", "appspec.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    made = Build(tmp_path)
    made.answer()
    return made


@pytest.mark.parametrize(("tests", "scan"), [(0, 0), (1, 0), (0, 1), (2, 1)])
def test_both_gates_run_and_either_fails_the_build(build: Build, tests: int, scan: int) -> None:
    python = build.folder / "bin" / "python"
    # The scan ends last: the build must wait for it.
    python.write_text(
        f"#!/bin/sh\n[ $2 = pytest ] && exit {tests}\nsleep 0.2; echo what bandit found >&2; exit {scan}\n"
    )
    python.chmod(0o755)
    done = build.run("-m pytest")
    assert (done.returncode == 0) is (tests == scan == 0)
    assert done.stdout == f"what bandit found\npytest ended with {tests}, bandit with {scan}\n"


def test_rendering_fills_every_placeholder_but_the_image(build: Build) -> None:
    assert build.run("string.Template").returncode == 0
    text = (build.folder / "taskdef.json").read_text()
    task = json.loads(text)
    (container,) = task["containerDefinitions"]
    assert "$" not in text
    assert container["image"] == "<IMAGE1_NAME>"
    assert container["dockerLabels"] == {"org.opencontainers.image.revision": COMMIT}
    assert (task["family"], task["cpu"], task["memory"]) == ("task-dev", "256", "512")
    roles = (ENVIRONMENT["TASK_ROLE_ARN"], ENVIRONMENT["EXECUTION_ROLE_ARN"])
    assert (task["taskRoleArn"], task["executionRoleArn"]) == roles
    assert container["portMappings"] == [{"containerPort": 8080, "protocol": "tcp"}]
    assert container["environment"] == [{"name": "PORT", "value": "8080"}]
    assert container["logConfiguration"]["options"]["awslogs-group"] == "/ecs/task-dev"


def test_rendering_names_the_hook_and_leaves_the_task_definition(build: Build) -> None:
    before = Contract.read().appspec
    assert build.run("string.Template").returncode == 0
    appspec = yaml.safe_load((build.folder / "appspec.yaml").read_text())
    assert appspec["Hooks"] == [{"AfterAllowTestTraffic": "test-traffic-hook-dev"}]
    assert appspec["Resources"] == before["Resources"]


@pytest.mark.parametrize(("missing", "file"), Contract.read().placeholders.items())
@pytest.mark.parametrize("value", [None, ""])
def test_rendering_names_a_missing_variable_and_leaves_the_files(
    build: Build, missing: str, file: str, value: str | None
) -> None:
    names = ("taskdef.json", "appspec.yaml")
    before = [(build.folder / name).read_text() for name in names]
    del build.environment[missing]
    if value is not None:
        build.environment[missing] = value
    result = build.run("string.Template")
    assert result.returncode == 1
    assert f"{file} needs '{missing}'" in result.stderr
    assert "Traceback" not in result.stderr
    assert [(build.folder / name).read_text() for name in names] == before


PROMOTED = {
    "TASK_FAMILY": "task-staging",
    "TASK_ROLE_ARN": "arn:aws:iam::222222222222:role/task-role-staging",
    "EXECUTION_ROLE_ARN": "arn:aws:iam::222222222222:role/execution-role-staging",
    "TASK_LOG_GROUP": "/ecs/task-staging",
    "TASK_CPU": "512",
    "TASK_MEMORY": "1024",
    "TEST_TRAFFIC_HOOK": "test-traffic-hook-staging",
}


def test_each_promotion_gets_a_task_definition_of_its_own_with_the_same_image(build: Build) -> None:
    build.environment["PROMOTE_TO"] = json.dumps({"staging": PROMOTED})
    assert build.run("string.Template").returncode == 0
    task, own = (json.loads((build.folder / name).read_text()) for name in RENDERED)
    (container,) = task["containerDefinitions"]
    assert (task["family"], task["cpu"], task["memory"]) == ("task-staging", "512", "1024")
    assert (task["taskRoleArn"], task["executionRoleArn"]) == (
        PROMOTED["TASK_ROLE_ARN"],
        PROMOTED["EXECUTION_ROLE_ARN"],
    )
    assert container["logConfiguration"]["options"]["awslogs-group"] == "/ecs/task-staging"
    assert container["image"] == own["containerDefinitions"][0]["image"] == "<IMAGE1_NAME>"
    assert container["portMappings"] == [{"containerPort": 8080, "protocol": "tcp"}]
    assert own["family"] == "task-dev"


def test_each_promotion_gets_the_hook_of_its_own_environment(build: Build) -> None:
    build.environment["PROMOTE_TO"] = json.dumps({"staging": PROMOTED})
    assert build.run("string.Template").returncode == 0
    text = [(build.folder / name).read_text() for name in ("appspec-staging.yaml", "appspec.yaml")]
    hooks = [yaml.safe_load(each)["Hooks"] for each in text]
    assert hooks == [
        [{"AfterAllowTestTraffic": "test-traffic-hook-staging"}],
        [{"AfterAllowTestTraffic": "test-traffic-hook-dev"}],
    ]


def test_without_a_promotion_there_is_one_file_of_each_kind(build: Build) -> None:
    assert build.run("string.Template").returncode == 0
    assert [path.name for path in build.folder.glob("taskdef*.json")] == ["taskdef.json"]
    assert [path.name for path in build.folder.glob("appspec*.yaml")] == ["appspec.yaml"]


def test_a_missing_variable_leaves_no_partial_task_definitions(build: Build) -> None:
    build.environment["PROMOTE_TO"] = json.dumps({"staging": PROMOTED})
    del build.environment["HEALTH_PATH"]
    assert build.run("string.Template").returncode == 1
    assert [path.name for path in build.folder.glob("taskdef*.json")] == ["taskdef.json"]


def test_the_tag_is_the_commit(build: Build) -> None:
    assert build.run("export IMAGE_TAG", then='echo "$IMAGE_TAG"').stdout == f"{COMMIT}\n"


@pytest.mark.parametrize("version", ["main", COMMIT[:12], "arn:aws:s3:::bucket/source.zip", ""])
def test_a_source_without_a_commit_is_rejected(build: Build, version: str) -> None:
    build.environment["CODEBUILD_RESOLVED_SOURCE_VERSION"] = version
    result = build.run("export IMAGE_TAG")
    assert result.returncode == 1
    assert "is no full commit id" in result.stderr


def test_ecr_is_signed_in_to_through_a_pipe(build: Build) -> None:
    build.answer(("get-login-password", "token", 0))
    assert build.run("ecr get-login-password").returncode == 0
    registry = ENVIRONMENT["IMAGE_REPOSITORY_URI"].partition("/")[0]
    assert (f"docker login --username AWS --password-stdin {registry}", "token\n") in build.calls


@pytest.mark.parametrize("failing", ["aws ecr", "docker login"])
def test_a_failed_sign_in_to_ecr_fails_the_build(build: Build, failing: str) -> None:
    build.answer((failing, "", 1))
    assert build.run("ecr get-login-password").returncode != 0


def test_an_anonymous_user_does_not_sign_in(build: Build) -> None:
    assert build.run("ssm get-parameter").returncode == 0
    assert build.calls == []


def test_a_docker_hub_user_signs_in_and_the_password_is_not_shown(build: Build) -> None:
    build.environment["DOCKER_HUB_USERNAME"] = "someone"
    build.answer(("ssm get-parameter", "pass-word", 0))
    result = build.run("ssm get-parameter")
    assert result.returncode == 0
    assert ("docker login --username someone --password-stdin", "pass-word\n") in build.calls
    assert "pass-word" not in result.stdout + result.stderr
    assert "pass-word" not in " ".join(call for call, _ in build.calls)


@pytest.mark.parametrize("failing", ["aws ssm", "docker login"])
def test_a_failed_sign_in_to_docker_hub_fails_the_build(build: Build, failing: str) -> None:
    build.environment["DOCKER_HUB_USERNAME"] = "someone"
    build.answer((failing, "", 1))
    assert build.run("ssm get-parameter").returncode != 0


class Service(BaseHTTPRequestHandler):
    """The service for the smoke test: healthy, and of the version in its server."""

    def do_GET(self) -> None:
        """Respond to the health path only."""
        self.send_response(200 if self.path == ENVIRONMENT["HEALTH_PATH"] else 404)
        self.send_header("X-Version", COMMIT)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
        """Stay quiet."""


@pytest.fixture
def port() -> Iterator[str]:
    """Return the port of a healthy service on loopback."""
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


def smoke(build: Build, port: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the smoke test against `port` and return its result and the Docker subcommands that it used."""
    build.environment["PORT"] = port
    result = build.run("docker run")
    return result, [call.split()[1] for call, _ in build.calls]


def test_a_healthy_image_passes_and_is_removed(build: Build, port: str) -> None:
    result, used = smoke(build, port)
    assert result.returncode == 0, result.stderr
    assert used == ["run", "exec", "logs", "rm"]
    assert build.calls[0][0] == f"docker run -d --name smoke-1 {IMAGE}"


def test_an_image_of_another_commit_fails_and_is_removed(build: Build, port: str) -> None:
    build.environment["IMAGE_TAG"] = "f" * 40
    result, used = smoke(build, port)
    assert result.returncode == 1
    assert f"the image says that it is {COMMIT}" in result.stderr
    assert used == ["run", "exec", "logs", "rm"]


def test_an_image_that_does_not_run_fails(build: Build, port: str) -> None:
    build.answer(("docker run", "", 125))
    result, used = smoke(build, port)
    assert (result.returncode, used) == (125, ["run"])


def test_an_image_that_ended_fails_and_its_log_is_shown(build: Build, port: str) -> None:
    build.answer(("docker exec", "", 1), ("docker logs", "why it ended", 0))
    result, used = smoke(build, port)
    assert result.returncode == 1
    assert "why it ended" in result.stdout
    assert used == ["run", "exec", "logs", "rm"]


@pytest.mark.parametrize(("succeeding", "status"), [("1", 0), ("0", 1), ("", 1)])
def test_post_build_stops_after_a_failed_build(build: Build, succeeding: str, status: int) -> None:
    build.environment["CODEBUILD_BUILD_SUCCEEDING"] = succeeding
    assert build.run("CODEBUILD_BUILD_SUCCEEDING").returncode == status


def push(build: Build) -> tuple[subprocess.CompletedProcess[str], bool]:
    """Run the push and return its result, ending in the image's URI, and whether an image was pushed."""
    result = build.run("docker push", then='echo "$IMAGE_URI"')
    return result, f"docker push {IMAGE}" in [call for call, _ in build.calls]


def test_a_new_commit_is_pushed_and_named_by_its_digest(build: Build) -> None:
    build.answer(("batch-get-image", "None", 0), ("batch-get-image", DIGEST, 0))
    result, pushed = push(build)
    assert pushed
    assert result.stdout.split()[-1] == f"{ENVIRONMENT['IMAGE_REPOSITORY_URI']}@{DIGEST}"


def test_a_commit_that_was_pushed_before_keeps_its_image(build: Build) -> None:
    build.answer(("batch-get-image", DIGEST, 0))
    result, pushed = push(build)
    assert result.returncode == 0
    assert not pushed
    assert result.stdout.split()[-1].endswith(DIGEST)


@pytest.mark.parametrize(
    "rules",
    [
        [("batch-get-image", "", 254)],
        [("batch-get-image", "None", 0), ("docker push", "", 1)],
        [("batch-get-image", "None", 0), ("batch-get-image", "", 254)],
        [("batch-get-image", "None", 0), ("batch-get-image", "None", 0)],
    ],
    ids=["ECR refuses", "the push fails", "ECR refuses after the push", "the push pushed nothing"],
)
def test_a_push_without_a_digest_fails_the_build(build: Build, rules: list[tuple[str, str, int]]) -> None:
    build.answer(*rules)
    assert push(build)[0].returncode != 0


def test_the_image_is_named_for_the_deploy_action(build: Build) -> None:
    build.environment["IMAGE_URI"] = f"{ENVIRONMENT['IMAGE_REPOSITORY_URI']}@{DIGEST}"
    assert build.run("> imageDetail.json").returncode == 0
    assert json.loads((build.folder / "imageDetail.json").read_text()) == {
        "ImageURI": f"{ENVIRONMENT['IMAGE_REPOSITORY_URI']}@{DIGEST}"
    }
