"""Builds that really run their commands, with S3, CloudWatch Logs and Systems Manager as fakes."""

import errno
import io
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from local_aws.services.codebuild.shell import processes
from unit_tests.local_aws.services.codebuild.fakes import COMMIT, ROLE, World

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
BUILD = "version: 0.2\nphases:\n  build:\n    commands: ['{}']\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.codebuild.stop()
    assert world.context.background_errors == []
    assert world.locked == []
    assert list((tmp_path / "codebuild" / "builds").glob("*")) == []


def phases(build: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(phase["phaseType"], phase.get("phaseStatus")) for phase in build["phases"]]


def failure(build: dict[str, Any]) -> tuple[str, str, str]:
    phase = next(p for p in build["phases"] if p.get("phaseStatus") not in ("SUCCEEDED", None))
    context = phase["contexts"][0]
    return phase["phaseType"], context["statusCode"], context["message"]


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


def test_a_failed_pre_build_leaves_out_everything_after_it(world: World) -> None:
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


def test_a_failed_build_phase_still_runs_post_build_which_can_see_it(world: World) -> None:
    build = world.run(
        "version: 0.2\nphases:\n  build: {commands: ['false'], finally: ['echo finally']}\n"
        "  post_build: {commands: ['echo succeeding=$CODEBUILD_BUILD_SUCCEEDING']}\n"
    )
    assert build["buildStatus"] == "FAILED"
    assert dict(phases(build))["POST_BUILD"] == "SUCCEEDED"
    log = world.log(build)
    assert "succeeding=0" in log
    assert log.index("finally\n") < log.index("Phase complete: BUILD State: FAILED")


def test_on_failure_says_otherwise(world: World) -> None:
    gone_on = world.run(
        "version: 0.2\nphases:\n  pre_build: {on-failure: CONTINUE, commands: ['false']}\n"
        "  build: {commands: ['true']}\n"
    )
    assert (gone_on["buildStatus"], dict(phases(gone_on))["BUILD"]) == ("FAILED", "SUCCEEDED")
    aborted = world.run("version: 0.2\nphases: {build: {on-failure: ABORT, commands: ['false']}}\n")
    assert "POST_BUILD" not in dict(phases(aborted))


def test_stop_kills_what_runs_and_the_build_is_stopped(world: World) -> None:
    build = world.start(BUILD.format('echo on; trap "" TERM; sleep 300; sleep 300'))
    deadline = time.monotonic() + 10
    while world.shown(build).get("currentPhase") != "BUILD" and time.monotonic() < deadline:
        time.sleep(0.02)
    world.codebuild.call("StopBuild", {"id": build})
    stopped = world.finish(build)
    assert stopped["buildStatus"] == "STOPPED"
    assert dict(phases(stopped))["BUILD"] == "STOPPED"
    assert world.codebuild.call("StopBuild", {"id": build})["build"]["buildStatus"] == "STOPPED"


def test_nothing_of_a_build_runs_on_after_its_end(world: World) -> None:
    build = world.run(BUILD.format("(setsid sleep 300 &); sleep 300 & echo left"))
    assert build["buildStatus"] == "SUCCEEDED"
    assert "left" in world.log(build)
    folder = world.codebuild.state / "builds" / build["id"].rpartition(":")[2]
    assert list(processes(f"CODEBUILD_BUILD_ID={build['id']}", set(), folder)) == []


def pace(world: World, value: str) -> dict[str, Any]:
    world.codebuild.projects["build-dev"]["timeoutInMinutes"] = 5
    variable = {"name": "LOCAL_AWS_TIMEOUT_PACE", "value": value}
    return {"environmentVariablesOverride": [variable]}


def test_a_timeout_passes_faster_only_where_the_project_asks_for_it_and_the_log_says_so(world: World) -> None:
    build = world.run(BUILD.format("sleep 300"), **pace(world, "0.01"))
    assert failure(build) == ("BUILD", "BUILD_TIMED_OUT", "Build has timed out.")
    assert "the timeout of 5 minutes pass at 0.01 of its length, in 3 s" in world.log(build)


@pytest.mark.parametrize("value", ["0", "2", "fast"])
def test_what_is_no_pace_of_a_timeout_starts_no_build(world: World, value: str) -> None:
    with pytest.raises(AwsError, match="LOCAL_AWS_TIMEOUT_PACE") as refused:
        world.start(BUILD.format("true"), **pace(world, value))
    assert refused.value.code == "InvalidInputException"
    assert world.codebuild.call("ListBuilds", {}) == {"ids": []}


def test_a_full_disk_fails_the_phase_in_the_words_of_its_agent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_s3: Any, _source: Any, folder: Path) -> None:
        folder.joinpath("half").write_text("made")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/codebuild/output/src/file.txt")

    monkeypatch.setattr("local_aws.services.codebuild.phases.download", full)
    build = world.run(BUILD.format("true"))
    words = "write /codebuild/output/src/file.txt: no space left on device"
    assert failure(build) == ("DOWNLOAD_SOURCE", "CLIENT_ERROR", words)
    assert words in world.log(build)


def test_a_missing_parameter_ends_the_build_in_download_source(world: World) -> None:
    world.aws.parameters.clear()
    build = world.run(BUILD.format("true"))
    assert failure(build) == (
        "DOWNLOAD_SOURCE",
        "Decrypted Variables Error",
        "parameter does not exist: /docker-hub-dev/username",
    )
    assert "INSTALL" not in dict(phases(build))


def test_a_python_that_the_image_lacks_is_named(world: World) -> None:
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
def test_each_mistake_fails_the_phase_that_meets_it(
    world: World, spec: str, more: dict[str, Any], phase: str, code: str
) -> None:
    build = world.run(spec, **more)
    assert build["buildStatus"] == "FAILED"
    assert failure(build)[:2] == (phase, code)


def test_without_its_log_group_the_log_is_lost_and_the_build_goes_on(world: World) -> None:
    world.aws.groups.clear()
    build = world.run(BUILD.format("true"))
    assert build["buildStatus"] == "SUCCEEDED"
    assert not world.aws.logs


def test_events_tell_of_each_phase_and_of_the_outcome(world: World) -> None:
    world.run(BUILD.format("false"))
    states = [(d["build-status"], d["current-phase"]) for kind, d in world.events if "State" in kind]
    assert states == [("IN_PROGRESS", "SUBMITTED"), ("FAILED", "COMPLETED")]
    done = [
        (d["completed-phase"], d["completed-phase-status"]) for kind, d in world.events if "Phase" in kind
    ]
    assert ("BUILD", "FAILED") in done
    assert done[0] == ("SUBMITTED", "SUCCEEDED")
    last = world.events[-1][1]["additional-information"]
    assert last["build-complete"] is True
    assert last["initiator"] == "codepipeline/pipeline-dev"
    assert [p["phase-type"] for p in last["phases"]][-1] == "COMPLETED"


def test_a_junit_report_goes_to_the_projects_group(world: World) -> None:
    xml = '<testsuite name="s"><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite>'
    spec = f"version: 0.2\nphases: {{build: {{commands: ['echo ''{xml}'' > r.xml']}}}}\n"
    build = world.run(spec + "reports: {unit-tests: {files: [r.xml]}}")
    (arn,) = build["reportArns"]
    report = world.codebuild.call("BatchGetReports", {"reportArns": [arn]})["reports"][0]
    assert report["reportGroupArn"].endswith(":report-group/build-dev-unit-tests")
    assert (report["status"], report["testSummary"]["total"]) == ("FAILED", 2)
    wanted = {"reportArn": arn, "filter": {"status": "FAILED"}}
    assert [case["name"] for case in world.codebuild.call("DescribeTestCases", wanted)["testCases"]] == ["b"]
    group = report["reportGroupArn"]
    with pytest.raises(AwsError, match="still has reports"):
        world.codebuild.call("DeleteReportGroup", {"arn": group})
    world.codebuild.call("DeleteReportGroup", {"arn": group, "deleteReports": True})
    assert world.codebuild.call("ListReports", {}) == {"reports": []}


def test_the_same_start_twice_is_one_build_and_another_is_refused(world: World) -> None:
    first = world.start(BUILD.format("true"), idempotencyToken="t")
    assert world.start(BUILD.format("true"), idempotencyToken="t") == first
    with pytest.raises(AwsError, match="Request parameter mismatch for idempotency token t"):
        world.start(BUILD.format("true"), idempotencyToken="t", sourceVersion="b")
    world.finish(first)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"serviceRole": "role"}, "InvalidInputException"),
        ({"name": "a b"}, "ValidationException"),
        ({"timeoutInMinutes": 2161}, "ValidationException"),
        ({"artifacts": {"type": "NO_ARTIFACTS"}}, "InvalidInputException"),
        ({"badgeEnabled": True}, "UnsupportedOperation"),
        ({"vpcConfig": {"vpcId": "v"}}, "UnsupportedOperation"),
        (
            {"source": {"type": "GITHUB", "location": "x"}, "artifacts": {"type": "NO_ARTIFACTS"}},
            "UnsupportedOperation",
        ),
    ],
)
def test_a_project_that_cannot_be_kept_is_refused(world: World, change: dict[str, Any], code: str) -> None:
    with pytest.raises(AwsError) as caught:
        world.codebuild.call("CreateProject", world.project | {"name": "other"} | change)
    assert caught.value.code == code
    assert world.codebuild.call("ListProjects", {}) == {"projects": ["build-dev"]}


def test_what_is_not_there_is_refused_in_the_words_of_aws(world: World) -> None:
    arn = "arn:aws:codebuild:us-east-1:123456789012:project/"
    with pytest.raises(AwsError, match=f"ResourceNotFoundException: Project cannot be found: {arn}none"):
        world.start(BUILD.format("true"), projectName="none")
    with pytest.raises(
        AwsError, match=f"ResourceAlreadyExistsException: Project already exists: {arn}build-dev"
    ):
        world.codebuild.call("CreateProject", world.project)
    with pytest.raises(AwsError, match="ResourceNotFoundException"):
        world.codebuild.call("StopBuild", {"id": "build-dev:none"})
    with pytest.raises(AwsError, match="outside of CodePipeline"):
        world.codebuild.call("StartBuild", {"projectName": "build-dev"})


def test_cloudformation_makes_changes_and_removes_a_project(world: World) -> None:
    kind = world.codebuild.resource_types()["AWS::CodeBuild::Project"]
    properties = {
        "Name": "from-template",
        "ServiceRole": ROLE,
        "Source": {"Type": "CODEPIPELINE", "BuildSpec": "buildspec.yml"},
        "Artifacts": {"Type": "CODEPIPELINE"},
        "Environment": {
            "Type": "LINUX_CONTAINER",
            "Image": "aws/codebuild/standard:7.0",
            "ComputeType": "BUILD_GENERAL1_SMALL",
            "PrivilegedMode": "true",
            "EnvironmentVariables": [{"Name": "A", "Type": "PLAINTEXT", "Value": "b"}],
        },
        "Cache": {"Type": "NO_CACHE"},
        "TimeoutInMinutes": "30",
        "Tags": [{"Key": "environment", "Value": "dev"}],
    }
    name, attributes = kind.create(properties, "Build", "stack-dev")
    assert attributes["Arn"] == "arn:aws:codebuild:us-east-1:123456789012:project/from-template"
    shown = world.codebuild.call("BatchGetProjects", {"names": [name]})["projects"][0]
    assert shown["environment"]["privilegedMode"] is True
    assert shown["timeoutInMinutes"] == 30
    assert shown["tags"] == [{"key": "environment", "value": "dev"}]
    assert kind.update is not None
    changed = {k: v for k, v in properties.items() if k != "TimeoutInMinutes"}
    kind.update(name, properties, changed)
    assert world.codebuild.project(name)["timeoutInMinutes"] == 60
    with pytest.raises(AwsError):
        kind.update(name, changed, changed | {"ServiceRole": "none"})
    assert world.codebuild.project(name)["serviceRole"] == ROLE
    with pytest.raises(AwsError, match=r"unsupported property Environment\.Colour"):
        kind.create(properties | {"Environment": {"Colour": "red"}}, "Build", "stack-dev")
    kind.delete(name, changed)
    kind.delete(name, changed)
    assert name not in world.codebuild.projects


def test_cloudformation_deletes_a_report_group_with_reports_only_when_told_to(world: World) -> None:
    kind = world.codebuild.resource_types()["AWS::CodeBuild::ReportGroup"]
    properties = {
        "Name": "build-dev-unit-tests",
        "Type": "TEST",
        "ExportConfig": {"ExportConfigType": "NO_EXPORT"},
        "DeleteReports": "true",
    }
    arn, _ = kind.create(properties, "Reports", "stack-dev")
    world.codebuild.add_report(arn, "arn:build", [])
    with pytest.raises(AwsError, match="still has reports"):
        kind.delete(arn, properties | {"DeleteReports": "false"})
    kind.delete(arn, properties)
    assert world.codebuild.report_groups == {}
