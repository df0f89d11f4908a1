"""The checks that a project, and the project with the overrides of StartBuild, must pass."""

import re
from collections.abc import Mapping
from typing import Any

from local_aws.core.clock import Clock
from local_aws.services.codebuild.errors import invalid_input, unsupported
from local_aws.services.codebuild.git_source import check_location
from local_aws.services.codebuild.shapes import EnvironmentShape, ProjectShape, SourceShape
from local_aws.services.codebuild.source import SOURCE_TYPES, is_inline

PROJECT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-_]{1,149}")
ROLE_ARN = re.compile(r"arn:aws:iam::\d{12}:role/.+")
KEY = re.compile(r"(arn:aws[\w-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/|alias/).+")
PROJECT_MEMBERS = {
    "name",
    "description",
    "source",
    "sourceVersion",
    "artifacts",
    "cache",
    "environment",
    "serviceRole",
    "timeoutInMinutes",
    "queuedTimeoutInMinutes",
    "encryptionKey",
    "tags",
    "logsConfig",
}
# Members that local_aws accepts with one value only: the one that turns their feature off.
DISABLED_FEATURES: dict[str, Any] = {
    "badgeEnabled": False,
    "autoRetryLimit": 0,
    "secondarySources": [],
    "secondaryArtifacts": [],
}
VARIABLE_TYPES = ("PLAINTEXT", "PARAMETER_STORE")
# A build may find a local cache or not, on AWS too: local_aws never has one.
CACHE_TYPES = ("NO_CACHE", "LOCAL")
MAX_TIMEOUT_MINUTES = 2160
# Undocumented: https://github.com/aws/aws-cdk/pull/14974
LONGEST_INLINE_BUILDSPEC = 25_600
# A build is real work, so the time scale does not apply to its timeout. A project that has this plaintext
# variable scales the timeout, by a factor above 0 and up to 1. On AWS it is a variable like any other.
TIMEOUT_SCALE = "LOCAL_AWS_TIMEOUT_SCALE"


def check_members(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return a project without its disabled features; raises `UnsupportedOperation` for other members."""
    project = {
        name: value
        for name, value in members.items()
        if name not in DISABLED_FEATURES or value != DISABLED_FEATURES[name]
    }
    unknown = {*project} - PROJECT_MEMBERS - {"arn", "created", "lastModified"}
    if unknown:
        raise unsupported(f"local_aws does not support a project's {min(unknown)}")
    return project


def check_project(project: ProjectShape) -> None:
    """Raise `InvalidInputException` as AWS does, `UnsupportedOperation` for what local_aws does not have."""
    if not PROJECT_NAME.fullmatch(project["name"]):
        raise invalid_input(
            "Project name must be 2-150 letters, digits, dashes and underscores, a letter or digit first"
        )
    if not ROLE_ARN.fullmatch(project["serviceRole"]):
        raise invalid_input("Invalid service role: Service role account ID does not match")
    if project["timeoutInMinutes"] > MAX_TIMEOUT_MINUTES:
        raise invalid_input("Invalid timeout: it must be between 5 and 2160 minutes")
    if (project["source"]["type"] == "CODEPIPELINE") != (project["artifacts"]["type"] == "CODEPIPELINE"):
        raise invalid_input(
            "Invalid artifacts: artifact type CODEPIPELINE should be specified for source type CODEPIPELINE"
        )
    if project["cache"]["type"] not in CACHE_TYPES:
        raise unsupported(f"local_aws has no cache of type {project['cache']['type']}")
    check_settings(project)
    check_environment(project["environment"])
    buildspec = project["source"].get("buildspec", "")
    if is_inline(buildspec) and len(buildspec) > LONGEST_INLINE_BUILDSPEC:
        words = f"an inline buildspec has at most {LONGEST_INLINE_BUILDSPEC} characters, not {len(buildspec)}"
        raise invalid_input(f"Invalid project source: {words}")
    if project["source"]["type"] != "CODEPIPELINE":
        check_source(project["source"])


def check_settings(project: ProjectShape) -> None:
    """Check the key and the logs of a project.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_S3LogsConfig.html
    """
    key = project.get("encryptionKey", "alias/aws/s3")
    if not KEY.fullmatch(key):
        raise invalid_input(f"Invalid encryption key: {key} is neither an ARN nor alias/<name>")
    logs: Mapping[str, Any] = project.get("logsConfig", {}).get("s3Logs", {})  # type: ignore[assignment]
    if logs.get("status") == "ENABLED":
        if not logs.get("location"):
            raise invalid_input("Invalid logs config: S3 logs need a location")
        raise unsupported("local_aws writes the logs of builds to CloudWatch Logs, not to S3")


def check_source(source: SourceShape) -> None:
    """Check the source of a build that is not started by a pipeline."""
    if source["type"] not in SOURCE_TYPES:
        raise unsupported(f"local_aws builds from {', '.join(SOURCE_TYPES)}, not from {source['type']}")
    if source["type"] == "CODECOMMIT":
        check_location(source)
    if source["type"] == "S3" and "/" not in source.get("location", ""):
        raise invalid_input("Invalid project source: location must be <bucket>/<key>")
    if source["type"] == "NO_SOURCE" and not is_inline(source.get("buildspec", "")):
        raise invalid_input("Invalid project source: a buildspec is required for source type NO_SOURCE")


def check_environment(environment: EnvironmentShape) -> None:
    """Check a build environment and its variables."""
    if environment["type"] != "LINUX_CONTAINER":
        raise unsupported(f"local_aws has no environment {environment['type']}")
    for variable in environment.get("environmentVariables", []):
        variable_type = variable.get("type", "PLAINTEXT")
        if variable_type not in VARIABLE_TYPES:
            raise unsupported(f"local_aws has no environment variable of type {variable_type}")


def timeout_scale(environment: EnvironmentShape) -> float:
    """Return the factor of a build's timeout, 1 by default; raises InvalidInputException for a bad value."""
    for variable in environment.get("environmentVariables", []):
        if variable["name"] == TIMEOUT_SCALE:
            try:
                return Clock(float(variable["value"])).time_scale
            except ValueError as error:
                raise invalid_input(f"{TIMEOUT_SCALE}: {error}") from error
    return 1.0
