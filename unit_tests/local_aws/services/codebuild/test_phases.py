"""Builds run their phases, with fakes of S3, CloudWatch Logs and Systems Manager."""

import errno
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from local_aws.services.codebuild.shell import build_processes
from unit_tests.local_aws.services.codebuild.fakes import BUILD, COMMIT, World, failure, phases

ALL_PHASES = [
    "SUBMITTED",
    "QUEUED",
    "PROVISIONING",
    "DOWNLOAD_SOURCE",
    "INSTALL",
    "PRE_BUILD",
    "BUILD",
    "POST_BUILD",
    "UPLOAD_ARTIFACTS",
    "FINALIZING",
    "COMPLETED",
]


def test_a_build_runs_its_phases_and_uploads_its_artifact(world: World) -> None:
    build = world.run(
        """
version: 0.2
env: {shell: bash, variables: {PLAIN: of the buildspec, OWN: 1}, exported-variables: [TAG]}
phases:
  pre_build: {commands: ['export TAG=$CODEBUILD_RESOLVED_SOURCE_VERSION', 'mkdir out && cd out']}
  build: {commands: ['echo "$USERNAME|$PLAIN|$OWN|$AWS_ACCESS_KEY_ID" > result.txt']}
artifacts: {files: [out/result.txt]}
"""
    )
    assert build["buildStatus"] == "SUCCEEDED"
    assert [kind for kind, _ in phases(build)] == ALL_PHASES
    assert build["exportedEnvironmentVariables"] == [{"name": "TAG", "value": COMMIT}]
    assert build["resolvedSourceVersion"] == COMMIT
    with zipfile.ZipFile(io.BytesIO(world.aws.objects["artifacts/pipeline-dev/BuildOutp/x.zip"])) as archive:
        assert archive.read("out/result.txt") == b"anonymous|of the project|1|temporary\n"
    assert build["artifacts"]["location"] == "arn:aws:s3:::artifacts/pipeline-dev/BuildOutp/x.zip"
    assert world.aws.encryption["SSEKMSKeyId"] == world.project["encryptionKey"]
    assert world.docker.privileged is True
    assert "Running command mkdir out" in world.log(build)


def test_a_failed_pre_build_skips_the_later_phases(world: World) -> None:
    build = world.run(
        "version: 0.2\nphases: {pre_build: {commands: [exit 3, touch x]}, build: {commands: [true]}}"
    )
    assert build["buildStatus"] == "FAILED"
    assert failure(build) == (
        "PRE_BUILD",
        "COMMAND_EXECUTION_ERROR",
        "Error while executing command: exit 3. Reason: exit status 3",
    )
    assert [kind for kind, _ in phases(build)][-2:] == ["FINALIZING", "COMPLETED"]
    assert "BUILD" not in dict(phases(build))
    assert "touch x" not in world.log(build)


def test_post_build_runs_after_a_failed_build_phase_and_knows_that_it_failed(world: World) -> None:
    build = world.run(
        "version: 0.2\nphases:\n  build: {commands: ['false'], finally: ['echo finally']}\n"
        "  post_build: {commands: ['echo succeeding=$CODEBUILD_BUILD_SUCCEEDING']}\n"
    )
    assert build["buildStatus"] == "FAILED"
    assert dict(phases(build))["POST_BUILD"] == "SUCCEEDED"
    log = world.log(build)
    assert "succeeding=0" in log
    assert log.index("finally\n") < log.index("Phase complete: BUILD State: FAILED")


def test_on_failure_changes_the_transition(world: World) -> None:
    continued = world.run(
        "version: 0.2\nphases:\n  pre_build: {on-failure: CONTINUE, commands: ['false']}\n"
        "  build: {commands: ['true']}\n"
    )
    assert (continued["buildStatus"], dict(phases(continued))["BUILD"]) == ("FAILED", "SUCCEEDED")
    aborted = world.run("version: 0.2\nphases: {build: {on-failure: ABORT, commands: ['false']}}\n")
    assert "POST_BUILD" not in dict(phases(aborted))


def test_no_process_of_a_build_outlives_it(world: World) -> None:
    build = world.run(BUILD.format("(setsid sleep 300 &); sleep 300 & echo left"))
    assert build["buildStatus"] == "SUCCEEDED"
    assert "left" in world.log(build)
    folder = world.codebuild.state / "builds" / build["id"].rpartition(":")[2]
    assert list(build_processes(f"CODEBUILD_BUILD_ID={build['id']}", set(), folder)) == []


def scaled_timeout(world: World, value: str) -> dict[str, Any]:
    world.codebuild.projects["build-dev"]["timeoutInMinutes"] = 5
    variable = {"name": "LOCAL_AWS_TIMEOUT_SCALE", "value": value}
    return {"environmentVariablesOverride": [variable]}


def test_a_project_can_scale_the_timeout_and_the_log_reports_it(world: World) -> None:
    build = world.run(BUILD.format("sleep 300"), **scaled_timeout(world, "0.01"))
    assert failure(build) == ("BUILD", "BUILD_TIMED_OUT", "Build has timed out.")
    assert "scales the timeout of 5 minutes by 0.01, to 3 s" in world.log(build)


@pytest.mark.parametrize("value", ["0", "2", "fast"])
def test_an_invalid_timeout_scale_starts_no_build(world: World, value: str) -> None:
    with pytest.raises(AwsError, match="LOCAL_AWS_TIMEOUT_SCALE") as refused:
        world.start(BUILD.format("true"), **scaled_timeout(world, value))
    assert refused.value.code == "InvalidInputException"
    assert world.codebuild.call("ListBuilds", {}) == {"ids": []}


def test_a_full_disk_fails_the_phase_with_the_agents_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_s3: Any, _source: Any, folder: Path) -> None:
        folder.joinpath("half").write_text("made")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/codebuild/output/src/file.txt")

    monkeypatch.setattr("local_aws.services.codebuild.source_download.download", full)
    build = world.run(BUILD.format("true"))
    message = "write /codebuild/output/src/file.txt: no space left on device"
    assert failure(build) == ("DOWNLOAD_SOURCE", "CLIENT_ERROR", message)
    assert message in world.log(build)


def test_a_missing_parameter_fails_download_source(world: World) -> None:
    world.aws.parameters.clear()
    build = world.run(BUILD.format("true"))
    assert failure(build) == (
        "DOWNLOAD_SOURCE",
        "Decrypted Variables Error",
        "parameter does not exist: /docker-hub-dev/username",
    )
    assert "INSTALL" not in dict(phases(build))


def test_what_every_build_gets_a_copy_of_is_where_no_build_can_change_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build of a commit would change the pip of the build that pushes the image, in `work`."""
    templates: list[Path] = []
    name = "local_aws.services.codebuild.phases.install_python"
    monkeypatch.setattr(name, lambda *given: templates.append(given[-1]))
    world.run("version: 0.2\nphases: {install: {runtime-versions: {python: 3.9}, commands: ['true']}}")
    (folder,) = templates
    assert folder.is_relative_to(world.context.state)
    assert not folder.is_relative_to(world.context.work)


def test_a_python_version_that_the_image_lacks_is_reported(world: World) -> None:
    spec = "version: 0.2\nphases: {install: {runtime-versions: {python: 3.9}}}"
    build = world.run(spec, imageOverride="aws/codebuild/standard:8.0")
    assert failure(build)[1:] == (
        "YAML_FILE_ERROR",
        "Unknown runtime version named '3.9' of python. "
        "This build image has the following versions: 3.10, 3.11, 3.12, 3.13, 3.14",
    )


@pytest.mark.parametrize(
    ("spec", "more", "phase", "code"),
    [
        ("version: 0.2\nphases: [", {}, "DOWNLOAD_SOURCE", "YAML_FILE_ERROR"),
        (BUILD.format("true"), {"buildspecOverride": "ci/x.yml"}, "DOWNLOAD_SOURCE", "YAML_FILE_ERROR"),
        (
            BUILD.format("true"),
            {"sourceLocationOverride": "artifacts/none"},
            "DOWNLOAD_SOURCE",
            "CLIENT_ERROR",
        ),
        (
            BUILD.format("true"),
            {"imageOverride": "own:1"},
            "PROVISIONING",
            "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
        ),
        (BUILD.format("true") + "artifacts: {files: [no]}", {}, "UPLOAD_ARTIFACTS", "CLIENT_ERROR"),
        (BUILD.format("true") + "reports: {r: {files: [no]}}", {}, "UPLOAD_ARTIFACTS", "CLIENT_ERROR"),
    ],
)
def test_each_error_fails_its_phase(
    world: World, spec: str, more: dict[str, Any], phase: str, code: str
) -> None:
    build = world.run(spec, **more)
    assert build["buildStatus"] == "FAILED"
    assert failure(build)[:2] == (phase, code)


def test_a_build_creates_its_log_group_if_the_role_may(world: World) -> None:
    world.aws.groups.clear()
    world.aws.may_create_log_groups = True
    build = world.run(BUILD.format("echo hello"))
    assert world.aws.groups == {"/codebuild/build-dev"}
    assert "hello" in world.log(build)


def test_without_its_log_group_a_build_runs_without_a_log(world: World) -> None:
    world.aws.groups.clear()
    build = world.run(BUILD.format("true"))
    assert build["buildStatus"] == "SUCCEEDED"
    assert not world.aws.logs
