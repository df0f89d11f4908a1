"""CodeBuild's API: builds, projects, reports, events."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.codebuild.fakes import BUILD, World, phases


def test_stop_build_kills_the_running_command(world: World) -> None:
    build = world.start(BUILD.format('echo on; trap "" TERM; sleep 300; sleep 300'))
    deadline = time.monotonic() + 10
    while world.shown(build).get("currentPhase") != "BUILD" and time.monotonic() < deadline:
        time.sleep(0.02)
    world.codebuild.call("StopBuild", {"id": build})
    stopped = world.finish(build)
    assert stopped["buildStatus"] == "STOPPED"
    assert dict(phases(stopped))["BUILD"] == "STOPPED"
    assert world.codebuild.call("StopBuild", {"id": build})["build"]["buildStatus"] == "STOPPED"


def test_events_report_the_state_of_a_build(world: World) -> None:
    world.run(BUILD.format("false"))
    states = [(d["build-status"], d["current-phase"]) for kind, d in world.events if "State" in kind]
    assert states == [("IN_PROGRESS", "SUBMITTED"), ("FAILED", "COMPLETED")]
    information = world.events[-1][1]["additional-information"]
    assert information["build-complete"] is True
    assert information["initiator"] == "codepipeline/pipeline-dev"
    assert [phase["phase-type"] for phase in information["phases"]][-1] == "COMPLETED"


def test_events_report_each_completed_phase(world: World) -> None:
    world.run(BUILD.format("false"))
    completed = [
        (d["completed-phase"], d["completed-phase-status"]) for kind, d in world.events if "Phase" in kind
    ]
    assert ("BUILD", "FAILED") in completed
    assert completed[0] == ("SUBMITTED", "SUCCEEDED")


def test_a_junit_report_is_added_to_the_projects_group(world: World) -> None:
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


def failed_report(world: World, key: str, **more: Any) -> dict[str, Any]:
    """Run a build whose only test fails, with a report under `key`."""
    xml = '<testsuite name="s"><testcase name="a"><failure/></testcase></testsuite>'
    spec = f"version: 0.2\nphases: {{build: {{commands: ['echo ''{xml}'' > r.xml; exit 1']}}}}\n"
    return world.run(spec + f"reports: {{{key}: {{files: [r.xml]}}}}", **more)


@pytest.mark.parametrize("key", ["$REPORT_GROUP_ARN", "'${REPORT_GROUP_ARN}'"])
def test_a_variable_names_the_report_group_by_its_arn_and_a_failed_build_reports_too(
    world: World, key: str
) -> None:
    given = {"name": "unit-tests-dev", "type": "TEST", "exportConfig": {"exportConfigType": "NO_EXPORT"}}
    group = world.codebuild.call("CreateReportGroup", given)["reportGroup"]["arn"]
    world.aws.may_create_report_groups = False
    variable = {"name": "REPORT_GROUP_ARN", "value": group, "type": "PLAINTEXT"}
    build = failed_report(world, key, environmentVariablesOverride=[variable])
    assert build["buildStatus"] == "FAILED"
    assert dict(phases(build))["UPLOAD_ARTIFACTS"] == "SUCCEEDED"
    (arn,) = build["reportArns"]
    (case,) = world.codebuild.call("DescribeTestCases", {"reportArn": arn})["testCases"]
    assert (case["name"], case["status"]) == ("a", "FAILED")
    assert world.codebuild.call("ListReportGroups", {})["reportGroups"] == [group]


@pytest.mark.parametrize("exists", [False, True])
def test_a_report_group_by_name_needs_the_permission_to_create_it(world: World, exists: bool) -> None:
    """Pitfall F10."""
    if exists:
        name = "build-dev-unit-tests"
        given = {"name": name, "type": "TEST", "exportConfig": {"exportConfigType": "NO_EXPORT"}}
        world.codebuild.call("CreateReportGroup", given)
    world.aws.may_create_report_groups = False
    build = failed_report(world, "unit-tests")
    (context,) = next(p for p in build["phases"] if p["phaseType"] == "UPLOAD_ARTIFACTS")["contexts"]
    assert context["statusCode"] == "CLIENT_ERROR"
    assert context["message"] == (
        "Error in UPLOAD_ARTIFACTS phase: [unit-tests: [error creating report group: "
        "AccessDeniedException: no identity-based policy allows codebuild:CreateReportGroup]]"
    )
    assert build["reportArns"] == []


def test_a_report_for_an_unknown_group_fails_the_build(world: World) -> None:
    arn = "arn:aws:codebuild:us-east-1:123456789012:report-group/none"
    build = failed_report(world, arn)
    (context,) = next(p for p in build["phases"] if p["phaseType"] == "UPLOAD_ARTIFACTS")["contexts"]
    assert f"Report group cannot be found: {arn}" in context["message"]


def test_an_idempotency_token_starts_one_build(world: World) -> None:
    first = world.start(BUILD.format("true"), idempotencyToken="t")
    assert world.start(BUILD.format("true"), idempotencyToken="t") == first
    with pytest.raises(AwsError, match="Request parameter mismatch for idempotency token t"):
        world.start(BUILD.format("true"), idempotencyToken="t", sourceVersion="b")
    world.finish(first)


TOO_LONG = f"version: 0.2\n{'#' * 25_600}"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"serviceRole": "role"}, "InvalidInputException"),
        ({"serviceRole": "arn:aws:iam::210987654321:role/build-dev"}, "InvalidInputException"),
        ({"name": "a b"}, "InvalidInputException"),
        ({"timeoutInMinutes": 2161}, "ValidationException"),
        ({"artifacts": {"type": "NO_ARTIFACTS"}}, "InvalidInputException"),
        ({"source": {"type": "CODEPIPELINE", "buildspec": TOO_LONG}}, "InvalidInputException"),
        ({"badgeEnabled": True}, "UnsupportedOperation"),
        ({"vpcConfig": {"vpcId": "v"}}, "UnsupportedOperation"),
        (
            {"source": {"type": "GITHUB", "location": "x"}, "artifacts": {"type": "NO_ARTIFACTS"}},
            "UnsupportedOperation",
        ),
    ],
)
def test_an_invalid_or_unsupported_project_is_refused(
    world: World, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(AwsError) as caught:
        world.codebuild.call("CreateProject", world.project | {"name": "other"} | change)
    assert caught.value.code == code
    assert world.codebuild.call("ListProjects", {}) == {"projects": ["build-dev"]}


def test_missing_and_duplicate_resources_are_refused_with_awss_messages(world: World) -> None:
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


def test_a_project_needs_a_role_that_codebuild_may_assume(world: World) -> None:
    def refuse(role: str) -> dict[str, str]:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": f"not {role}"}}, "AssumeRole")

    setattr(world.context, "credentials", refuse)  # noqa: B010 - a fake in place of a method
    for operation, name in (("CreateProject", "other"), ("UpdateProject", "build-dev")):
        with pytest.raises(AwsError) as caught:
            world.codebuild.call(operation, world.project | {"name": name})
        assert caught.value.code == "InvalidInputException"
        assert "not authorized to perform: sts:AssumeRole on service role" in caught.value.message
    assert world.codebuild.call("ListProjects", {}) == {"projects": ["build-dev"]}
