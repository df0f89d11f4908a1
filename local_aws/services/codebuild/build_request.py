"""What a build is started with: a project with the overrides of StartBuild."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, cast

from local_aws.core.context import ServiceRole
from local_aws.services.codebuild.errors import invalid_input, unsupported
from local_aws.services.codebuild.junit import TestCase
from local_aws.services.codebuild.shapes import (
    ArtifactsShape,
    CloudWatchLogsShape,
    EnvironmentShape,
    EnvironmentVariableShape,
    ProjectShape,
    SourceShape,
)
from local_aws.services.codebuild.validation import check_environment, check_source

# The simple overrides of StartBuild: the argument, the member of the project, and its own member.
OVERRIDES = (
    ("sourceTypeOverride", "source", "type"),
    ("sourceLocationOverride", "source", "location"),
    ("buildspecOverride", "source", "buildspec"),
    ("gitCloneDepthOverride", "source", "gitCloneDepth"),
    ("imageOverride", "environment", "image"),
    ("computeTypeOverride", "environment", "computeType"),
    ("environmentTypeOverride", "environment", "type"),
    ("privilegedModeOverride", "environment", "privilegedMode"),
    ("serviceRoleOverride", None, "serviceRole"),
    ("encryptionKeyOverride", None, "encryptionKey"),
    ("timeoutInMinutesOverride", None, "timeoutInMinutes"),
    ("queuedTimeoutInMinutesOverride", None, "queuedTimeoutInMinutes"),
    ("artifactsOverride", None, "artifacts"),
    ("logsConfigOverride", None, "logsConfig"),
    ("cacheOverride", None, "cache"),
)
OTHER_ARGUMENTS = {"projectName", "sourceVersion", "environmentVariablesOverride", "idempotencyToken"}


@dataclass
class BuildRequest:
    """The settings of one build. `log_group` is None when its logs are disabled."""

    source: SourceShape
    artifacts: ArtifactsShape
    environment: EnvironmentShape
    service_role: ServiceRole
    encryption_key: str | None
    log_group: str | None
    log_stream: str
    # Adds the test cases of a report; the report group's name or ARN is as in the buildspec.
    add_report: Callable[[str, list[TestCase]], None] = field(repr=False)


def apply_overrides(project: ProjectShape, params: Mapping[str, Any]) -> ProjectShape:
    """Return the project with StartBuild's overrides applied; raises `AwsError` as StartBuild does."""
    unknown = {*params} - OTHER_ARGUMENTS - {argument for argument, _, _ in OVERRIDES}
    if unknown:
        raise unsupported(f"local_aws does not support StartBuild's {min(unknown)}")
    members = cast(dict[str, Any], deepcopy(project))
    for argument, parent, member in OVERRIDES:
        if argument in params:
            (members[parent] if parent else members)[member] = params[argument]
    overridden = cast(ProjectShape, members)
    _override_variables(overridden["environment"], params.get("environmentVariablesOverride", []))
    if "CODEPIPELINE" in (overridden["source"]["type"], overridden["artifacts"]["type"]):
        raise invalid_input(
            "Cannot start a build of a project with source or artifacts of type CODEPIPELINE outside of "
            "CodePipeline: give sourceTypeOverride, sourceLocationOverride and artifactsOverride"
        )
    check_source(overridden["source"])
    check_environment(overridden["environment"])
    return overridden


def _override_variables(environment: EnvironmentShape, overrides: list[EnvironmentVariableShape]) -> None:
    declared = environment.get("environmentVariables", [])
    variables = {variable["name"]: variable for variable in [*declared, *overrides]}
    environment["environmentVariables"] = list(variables.values())


def cloudwatch_logs(project: ProjectShape) -> CloudWatchLogsShape:
    """Return the project's CloudWatch Logs settings; logs are enabled by default."""
    default = CloudWatchLogsShape(status="ENABLED")
    return project.get("logsConfig", {}).get("cloudWatchLogs", default)


def log_destination(project: ProjectShape, build_uuid: str) -> tuple[str | None, str]:
    """Return the log group (None when logs are disabled) and the log stream of a build."""
    config = cloudwatch_logs(project)
    prefix = config.get("streamName")
    stream = f"{prefix}/{build_uuid}" if prefix else build_uuid
    if config["status"] == "DISABLED":
        return None, stream
    return config.get("groupName", f"/aws/codebuild/{project['name']}"), stream
