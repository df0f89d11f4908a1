"""The commands of the buildspecs, run as CodeBuild runs them, without AWS and Docker."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from unit_tests.contract.contract_files import ENVIRONMENT, ROOT
from unit_tests.contract.recorded_build import COMMIT, DIGEST, IMAGE, TAG, Build


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a build in an empty folder."""
    made = Build(tmp_path)
    made.answer()
    return made


def test_the_tag_is_the_commit_and_the_build(build: Build) -> None:
    result = build.run("export IMAGE_TAG", then='echo "$COMMIT" "$IMAGE_TAG"')
    assert result.stdout == f"{COMMIT} {TAG}\n"


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


@pytest.fixture
def paused(build: Build) -> Build:
    """Return the build with a Dockerfile, and with a `sleep` that returns at once."""
    shutil.copy(ROOT / "Dockerfile", build.folder)
    sleep = build.folder / "bin" / "sleep"
    sleep.write_text('#!/bin/sh\necho "paused for $1 s"\n')
    sleep.chmod(0o755)
    return build


BASE = "public.ecr.aws/docker/library/python:3.9-slim"
(PINNED,) = re.findall(r"^FROM (\S+)$", (ROOT / "Dockerfile").read_text(), re.M)
PULL = f"docker pull --quiet {PINNED}"


def test_the_base_image_is_pulled_with_a_login_of_public_ecr(paused: Build) -> None:
    paused.answer(("get-login-password", "token", 0))
    assert paused.run("docker pull").returncode == 0
    assert [call for call, _ in paused.calls if "pull" in call] == [PULL]
    assert ("docker login --username AWS --password-stdin public.ecr.aws", "token\n") in paused.calls


@pytest.mark.parametrize(
    ("lines", "pulled"),
    [
        (
            f"FROM --platform=linux/amd64 {BASE}@sha256:{'a' * 64} AS base\nFROM base\n",
            [f"{BASE}@sha256:{'a' * 64}"],
        ),
        (f"# {BASE}\nFROM scratch\nCOPY --from={BASE} /bin /bin\n", [BASE]),
        ("FROM python:3.9-slim\n", []),
    ],
)
def test_every_image_of_public_ecr_that_a_dockerfile_names_is_pulled(
    paused: Build, lines: str, pulled: list[str]
) -> None:
    (paused.folder / "Dockerfile").write_text(lines)
    assert paused.run("docker pull").returncode == 0
    found = [call.rpartition(" ")[2] for call, _ in paused.calls if call.startswith("docker pull")]
    assert found == pulled


@pytest.mark.parametrize("failing", ["aws ecr-public", "docker login", "docker pull"])
def test_a_refused_pull_is_tried_again_after_a_pause_and_fails_at_the_third_time(
    paused: Build, failing: str
) -> None:
    paused.answer((failing, "", 1))
    once = paused.run("docker pull")
    assert (once.returncode, once.stdout.count("paused")) == (0, 1)
    paused.answer((failing, "", 1), (failing, "", 1), (failing, "", 1))
    thrice = paused.run("docker pull")
    assert thrice.returncode != 0
    assert [line for line in thrice.stdout.splitlines() if "paused" in line] == [
        "paused for 5 s",
        "paused for 15 s",
    ]


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


@pytest.mark.parametrize(("succeeding", "status"), [("1", 0), ("0", 1), ("", 1)])
def test_post_build_stops_after_a_failed_build(build: Build, succeeding: str, status: int) -> None:
    build.environment["CODEBUILD_BUILD_SUCCEEDING"] = succeeding
    assert build.run("CODEBUILD_BUILD_SUCCEEDING").returncode == status


def push(build: Build) -> tuple[subprocess.CompletedProcess[str], bool]:
    """Run the push and return its result, ending in the image's URI, and whether an image was pushed."""
    result = build.run("docker push", then='echo "$IMAGE_URI"')
    return result, f"docker push {IMAGE}" in [call for call, _ in build.calls]


def test_a_new_commit_is_pushed_and_named_by_its_digest(build: Build) -> None:
    build.answer(("batch-get-image", DIGEST, 0))
    result, pushed = push(build)
    assert pushed
    assert result.stdout.split()[-1] == f"{ENVIRONMENT['IMAGE_REPOSITORY_URI']}@{DIGEST}"


@pytest.mark.parametrize(
    "rules",
    [
        [("docker push", "", 1), ("batch-get-image", DIGEST, 0)],
        [("batch-get-image", "", 254)],
        [("batch-get-image", "None", 0)],
    ],
    ids=["the push fails", "ECR refuses after the push", "the push pushed nothing"],
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
