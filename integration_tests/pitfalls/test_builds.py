"""Pitfalls of the Build stage: image, Docker daemon, variables, buildspec and reports."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.build_project import OUTPUT, BuildProject, Buildspec
from harness.cloud import Cloud
from harness.stacks import CREATED, Stack, temporary_stack
from harness.synthesized_app import Resources, replaced
from integration_tests.pitfalls.builds import buildspec_of, only, project
from integration_tests.pitfalls.template_changes import statement

LOGIN = "docker login --username AWS"
SUCCEEDING = "CODEBUILD_BUILD_SUCCEEDING"
BASE = "public.ecr.aws/docker/library/python:3.9-slim"
# The image URI of a build that builds no image.
IMAGE = {"name": "IMAGE_URI", "value": BASE}


def image_buildspec(cloud: Cloud) -> Buildspec:
    """Return the buildspec of the image without its slow parts: no image."""
    whole = buildspec_of(cloud, "PipelineBuildProject")
    spec = only(whole, "# Write the platform", "export IMAGE_TAG", "fill.py", SUCCEEDING, LOGIN, "ImageURI")
    post_build = spec["phases"]["post_build"]["commands"]
    spec["phases"]["build"] = {"commands": [one for one in post_build if LOGIN in one]}
    spec["phases"]["post_build"] = {"commands": [one for one in post_build if LOGIN not in one]}
    return spec


def report_buildspec(cloud: Cloud) -> Buildspec:
    """Return the buildspec of the tests without them."""
    spec = only(buildspec_of(cloud, "PipelineTestProject"), "python --version")
    report = "mkdir reports && echo '<testsuite name=\"short\"/>' > reports/unit-tests.xml"
    spec["phases"]["build"] = {"commands": [report]}
    return spec


@pytest.fixture(scope="module")
def stack(cloud: Cloud) -> Iterator[Stack]:
    with temporary_stack(cloud, project(cloud)) as found:
        assert found.final_status() == CREATED, found.failures()
        yield found


@pytest.fixture(scope="module")
def build_project(stack: Stack) -> BuildProject:
    """The project that builds the image."""
    return BuildProject(stack)


@pytest.fixture(scope="module")
def project_of_tests(stack: Stack) -> BuildProject:
    """The project that runs the tests."""
    return BuildProject(stack, "test")


def files_of(built: BuildProject, key: str = "") -> list[str]:
    """Return the names of the files in the newest artifact; none if there is no artifact."""
    s3 = built.cloud.client("s3")
    found = s3.list_objects_v2(Bucket=built.bucket, Prefix=OUTPUT).get("Contents", [])
    if not found:
        return []
    newest = max(found, key=lambda one: one["LastModified"])
    body = s3.get_object(Bucket=built.bucket, Key=newest["Key"])["Body"].read()
    s3.delete_object(Bucket=built.bucket, Key=newest["Key"])
    return sorted(zipfile.ZipFile(io.BytesIO(body)).namelist())


def test_the_synthesized_project_builds(build_project: BuildProject) -> None:
    """pitfalls D9, F1, F3, F4, F7: the synthesized image, daemon, variables and buildspec."""
    build = build_project.build(image_buildspec(build_project.cloud), environmentVariablesOverride=[IMAGE])
    assert build.status == "SUCCEEDED", build
    assert "Login Succeeded" in build.log
    assert files_of(build_project) == ["appspec.yaml", "imageDetail.json", "taskdef.json"]


@pytest.mark.parametrize(
    "image", ["aws/codebuild/standard:8.0", "aws/codebuild/amazonlinux-x86_64-standard:6.0"]
)
def test_a_newer_build_image_has_no_python_3_9(build_project: BuildProject, image: str) -> None:
    """pitfall F1: the image must have the runtime version of buildspec.yml."""
    build = build_project.build(image_buildspec(build_project.cloud), imageOverride=image)
    assert build.phases["DOWNLOAD_SOURCE"] == "FAILED"
    assert build.contexts["DOWNLOAD_SOURCE"] == (
        "YAML_FILE_ERROR: Unknown runtime version named '3.9' of python. This build image has the following "
        "versions: 3.10, 3.11, 3.12, 3.13, 3.14"
    )


@pytest.mark.parametrize(("version", "status"), [("9.0.0", "FAILED"), ("8.4.2", "SUCCEEDED")])
def test_a_package_without_python_3_9_support_does_not_install(
    project_of_tests: BuildProject, version: str, status: str
) -> None:
    """pitfall F2: pytest 9 needs Python 3.10; the service uses 8.4.2."""
    spec = report_buildspec(project_of_tests.cloud)
    install = spec["phases"]["install"]
    install["commands"] = [f"python -m pip download --quiet --no-deps pytest=={version}"]
    build = project_of_tests.build(spec)
    assert build.phases["INSTALL"] == status
    if status == "FAILED":
        assert "COMMAND_EXECUTION_ERROR: Error while executing command" in build.contexts["INSTALL"]
        assert f"Could not find a version that satisfies the requirement pytest=={version}" in build.log


def test_a_project_without_privileges_reaches_no_docker_daemon(build_project: BuildProject) -> None:
    """pitfall F3: the message is Docker's."""
    build = build_project.build(image_buildspec(build_project.cloud), privilegedModeOverride=False)
    assert build.phases["BUILD"] == "FAILED"
    assert (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
        in build.log
    )


def test_a_variable_from_a_missing_parameter_fails_the_build_before_its_first_command(
    build_project: BuildProject,
) -> None:
    """pitfall F4: this is why the Docker Hub password is not a PARAMETER_STORE variable."""
    name = build_project.stack.physical_name("/docker-hub-the-suffix/missing-username")
    # The synthesized role may read one parameter only, and this one is another.
    variable = {"name": "DOCKER_HUB_USERNAME", "value": name, "type": "PARAMETER_STORE"}
    role = build_project.stack.physical_name("build-role-the-suffix")
    iam = build_project.cloud.client("iam")
    allowed = (
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ssm:GetParameters","Resource":"*"}}'
    )
    iam.put_role_policy(RoleName=role, PolicyName="parameters", PolicyDocument=allowed)
    try:
        build = build_project.build(
            image_buildspec(build_project.cloud), environmentVariablesOverride=[variable]
        )
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="parameters")
    assert build.contexts["DOWNLOAD_SOURCE"] == f"Decrypted Variables Error: parameter does not exist: {name}"
    assert "INSTALL" not in build.phases


def test_a_colon_in_an_unquoted_command_is_a_mapping_to_yaml(build_project: BuildProject) -> None:
    """pitfall F7: CodeBuild reads YAML strictly."""
    text = "version: 0.2\nphases:\n  build:\n    commands:\n      - echo the image is: pushed\n"
    build = build_project.build(text)
    assert build.contexts["DOWNLOAD_SOURCE"].startswith(
        "YAML_FILE_ERROR: Expected Commands[0] to be of string type: found subkeys instead at line 5"
    )


def test_a_project_with_a_longer_buildspec_is_refused(build_project: BuildProject) -> None:
    """pitfall F14: the limit counts the files that a buildspec carries."""
    client = build_project.cloud.client("codebuild")
    source = {"type": "CODEPIPELINE", "buildspec": f"version: 0.2\n# {'x' * 25_600}"}
    with pytest.raises(ClientError) as error:
        client.update_project(name=build_project.name, source=source)
    assert error.value.response["Error"]["Code"] == "InvalidInputException"


@pytest.mark.parametrize("guarded", [False, True])
def test_a_failed_build_continues_with_post_build(build_project: BuildProject, guarded: bool) -> None:
    """pitfall F7: without the check of CODEBUILD_BUILD_SUCCEEDING it uploads its artifact."""
    spec = image_buildspec(build_project.cloud)
    spec["phases"]["build"] = {"commands": ["false"]}
    if not guarded:
        post_build = spec["phases"]["post_build"]
        post_build["commands"] = [one for one in post_build["commands"] if SUCCEEDING not in one]
    build = build_project.build(spec, environmentVariablesOverride=[IMAGE])
    assert build.status == "FAILED"
    assert build.phases["BUILD"] == "FAILED"
    assert build.phases["POST_BUILD"] == ("FAILED" if guarded else "SUCCEEDED")
    assert ("imageDetail.json" in files_of(build_project)) != guarded


def test_a_build_role_without_registry_sign_in_fails(cloud: Cloud) -> None:
    """pitfall D9: the build needs more permissions than the pipeline."""
    resources = project(cloud)
    statement(resources["PipelineBuildRole"], "SignInToTheRegistry")["Effect"] = "Deny"
    with temporary_stack(cloud, resources) as stack:
        build = BuildProject(stack).build(image_buildspec(cloud))
    assert build.phases["BUILD"] == "FAILED"
    assert "(AccessDeniedException) when calling the GetAuthorizationToken operation" in build.log
    assert "is not authorized to perform: ecr:GetAuthorizationToken" in build.log


def report_groups(cloud: Cloud, suffix: str) -> list[str]:
    groups = cloud.client("codebuild").list_report_groups()["reportGroups"]
    return [arn for arn in groups if suffix in arn]


def under(spec: Buildspec, key: str) -> Buildspec:
    """Report to the group `key`."""
    (report,) = spec["reports"].values()
    return {**spec, "reports": {key: report}}


def with_cdk_defaults(cloud: Cloud, resources: Resources) -> Resources:
    """Grant what the CDK grants by default, in place of the synthesized report group."""
    del resources["PipelineTestReports"]
    arn = f"arn:aws:codebuild:us-east-1:{cloud.account.id}:report-group/test-the-suffix-unit-tests"

    def follow(_kind: str, name: str, whole: Any) -> Any:
        return arn if name == "PipelineTestReports" else whole

    for resource in resources.values():
        resource["Properties"] = replaced(resource["Properties"], follow)
    reporting = statement(resources["PipelineTestRole"], "ReportTheTests")
    reporting["Action"] = [*reporting["Action"], "codebuild:CreateReportGroup"]
    return resources


@pytest.mark.parametrize("as_synthesized", [False, True])
def test_a_report_group_created_by_a_build_outlives_its_stack(cloud: Cloud, as_synthesized: bool) -> None:
    """pitfall F8: CloudFormation does not delete what is in no template."""
    resources, spec = project(cloud), report_buildspec(cloud)
    if not as_synthesized:
        resources, spec = with_cdk_defaults(cloud, resources), under(spec, "unit-tests")
    with temporary_stack(cloud, resources) as stack:
        build = BuildProject(stack, "test").build(spec)
        assert build.status == "SUCCEEDED", build
        assert len(report_groups(cloud, stack.suffix)) == 1
    left = report_groups(cloud, stack.suffix)
    for arn in left:
        cloud.client("codebuild").delete_report_group(arn=arn, deleteReports=True)
    assert len(left) == (0 if as_synthesized else 1)


@pytest.mark.parametrize(("key", "status"), [("unit-tests", "FAILED"), ("$REPORT_GROUP_ARN", "SUCCEEDED")])
def test_a_report_to_a_group_by_name_is_refused_and_by_arn_is_not(
    project_of_tests: BuildProject, key: str, status: str
) -> None:
    """pitfall F10: and fails a build that has passed; its ARN needs no more than the role has."""
    build = project_of_tests.build(under(report_buildspec(project_of_tests.cloud), key))
    assert build.phases["UPLOAD_ARTIFACTS"] == build.status == status
    if status == "FAILED":
        assert build.contexts["UPLOAD_ARTIFACTS"].startswith(
            "CLIENT_ERROR: Error in UPLOAD_ARTIFACTS phase: [unit-tests: [error creating report group: "
            "AccessDeniedException: User: arn:aws:sts::"
        )
        assert (
            "is not authorized to perform: codebuild:CreateReportGroup" in build.contexts["UPLOAD_ARTIFACTS"]
        )


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_burst_of_pulls_from_public_ecr_needs_a_login(build_project: BuildProject, signed_in: bool) -> None:
    """pitfall F11: without one, everybody at the address shares one pull a second."""
    whole = buildspec_of(build_project.cloud, "PipelineBuildProject")
    spec = only(whole, "ecr-public get-login-password")
    commands = spec["phases"]["build"]["commands"] if signed_in else []
    burst = f"for pull in 1 2 3 4 5 6; do docker pull {BASE} || exit 1; done"
    spec["phases"]["build"] = {"commands": [*commands, burst]}
    spec["phases"]["install"]["commands"] = ["true"]
    del spec["artifacts"]
    build = build_project.build(spec)
    assert build.status == ("SUCCEEDED" if signed_in else "FAILED"), build.log
    assert ("toomanyrequests: Rate exceeded" in build.log) != signed_in


@pytest.mark.parametrize(("phase", "reports"), [("pre_build", 0), ("build", 1)])
def test_a_failed_test_is_reported_after_the_build_phase_only(
    project_of_tests: BuildProject, phase: str, reports: int
) -> None:
    """pitfall F12: a failed pre_build ends the build before UPLOAD_ARTIFACTS."""
    spec = report_buildspec(project_of_tests.cloud)
    junit = '<testsuite name="unit"><testcase name="test_broken"><failure/></testcase></testsuite>'
    failing = f"mkdir -p reports; echo '{junit}' > reports/unit-tests.xml; false"
    spec["phases"][phase] = {"commands": [failing]}
    build = project_of_tests.build(spec)
    assert build.status == "FAILED"
    assert len(build.reports) == reports
    codebuild = project_of_tests.cloud.client("codebuild")
    cases = [
        case for arn in build.reports for case in codebuild.describe_test_cases(reportArn=arn)["testCases"]
    ]
    assert [(case["name"], case["status"]) for case in cases] == [("test_broken", "FAILED")] * reports
