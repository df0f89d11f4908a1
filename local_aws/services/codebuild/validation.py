"""CodeBuild's projects: what a template may ask for, checked before a build depends on it."""

import re
from typing import Any

from local_aws.core.api import AwsError, JsonService, now
from local_aws.core.context import Context
from local_aws.services.codebuild.source import SOURCES, is_inline

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-_]{1,149}")
ROLE = re.compile(r"arn:aws:iam::\d{12}:role/.+")
KEPT = {
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
# Members that say "none of this"; anything else of theirs would be a promise that local_aws does not keep.
NEUTRAL: dict[str, Any] = {
    "badgeEnabled": False,
    "autoRetryLimit": 0,
    "secondarySources": [],
    "secondaryArtifacts": [],
}
VARIABLE_TYPES = ("PLAINTEXT", "PARAMETER_STORE")
# A local one has no promise: what of it is there is up to the build host, here as on AWS.
CACHES = ("NO_CACHE", "LOCAL")
DEFAULT_MINUTES = 60
LONGEST_MINUTES = 2160
DEFAULT_QUEUED_MINUTES = 480


class Projects(JsonService):
    """The operations on projects."""

    service = "codebuild"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.projects: dict[str, dict[str, Any]] = {}

    def create_project(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["name"]
        if name in self.projects:
            raise AwsError(
                "ResourceAlreadyExistsException", f"Project already exists: {self.project_arn(name)}"
            )
        defaults = {
            "timeoutInMinutes": DEFAULT_MINUTES,
            "queuedTimeoutInMinutes": DEFAULT_QUEUED_MINUTES,
            "cache": {"type": "NO_CACHE"},
            "tags": [],
            "arn": self.project_arn(name),
            "created": now(),
        }
        return {"project": self._keep(defaults | params)}

    def update_project(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"project": self._keep(self.project(params["name"]) | params)}

    def delete_project(self, params: dict[str, Any]) -> None:
        """Delete a project; AWS says nothing when there is none of that name."""
        self.projects.pop(params["name"].rpartition("/")[2], None)

    def batch_get_projects(self, params: dict[str, Any]) -> dict[str, Any]:
        names = [name.rpartition("/")[2] for name in params["names"]]
        return {
            "projects": [self.projects[name] for name in names if name in self.projects],
            "projectsNotFound": [name for name in names if name not in self.projects],
        }

    def list_projects(self, params: dict[str, Any]) -> dict[str, Any]:
        names = sorted(self.projects)
        if params.get("sortBy") in ("CREATED_TIME", "LAST_MODIFIED_TIME"):
            member = "created" if params["sortBy"] == "CREATED_TIME" else "lastModified"
            names.sort(key=lambda name: self.projects[name][member])
        return {"projects": names[::-1] if params.get("sortOrder") == "DESCENDING" else names}

    def project(self, name: str) -> dict[str, Any]:
        """Return a project by name or ARN; raises `ResourceNotFoundException`."""
        short = name.rpartition("/")[2]
        if short not in self.projects:
            raise AwsError("ResourceNotFoundException", f"Project cannot be found: {self.project_arn(short)}")
        return self.projects[short]

    def project_arn(self, name: str) -> str:
        """Return a project's ARN."""
        return self.context.arn("codebuild", f"project/{name}")

    def _keep(self, project: dict[str, Any]) -> dict[str, Any]:
        for member, neutral in NEUTRAL.items():
            if project.get(member, neutral) == neutral:
                project.pop(member, None)
        unknown = {*project} - KEPT - {"arn", "created", "lastModified"}
        if unknown:
            raise AwsError("UnsupportedOperation", f"local_aws does not know a project's {min(unknown)}", 501)
        check_project(project)
        project["lastModified"] = now()
        self.projects[project["name"]] = project
        return project


def check_project(project: dict[str, Any]) -> None:
    """Raise `InvalidInputException` where AWS would, `UnsupportedOperation` for what we cannot do."""
    if not NAME.fullmatch(project["name"]):
        raise AwsError(
            "InvalidInputException",
            "Project name must be 2-150 letters, digits, dashes and underscores, a letter or digit first",
        )
    if not ROLE.fullmatch(project["serviceRole"]):
        raise AwsError(
            "InvalidInputException", "Invalid service role: Service role account ID does not match"
        )
    if project["timeoutInMinutes"] > LONGEST_MINUTES:
        raise AwsError("InvalidInputException", "Invalid timeout: it must be between 5 and 2160 minutes")
    if (project["source"]["type"] == "CODEPIPELINE") != (project["artifacts"]["type"] == "CODEPIPELINE"):
        raise AwsError(
            "InvalidInputException",
            "Invalid artifacts: artifact type CODEPIPELINE should be specified for source type CODEPIPELINE",
        )
    if project["cache"]["type"] not in CACHES:
        raise AwsError(
            "UnsupportedOperation", f"local_aws has no cache of type {project['cache']['type']}", 501
        )
    check_environment(project["environment"])
    if project["source"]["type"] != "CODEPIPELINE":
        check_source(project["source"])


def check_source(source: dict[str, Any]) -> None:
    """Check a source that a build is to be started from."""
    if source["type"] not in SOURCES:
        raise AwsError(
            "UnsupportedOperation",
            f"local_aws builds from {' and '.join(SOURCES)}, not from {source['type']}",
            501,
        )
    if source["type"] == "S3" and "/" not in source.get("location", ""):
        raise AwsError("InvalidInputException", "Invalid project source: location must be <bucket>/<key>")
    if source["type"] == "NO_SOURCE" and not is_inline(source.get("buildspec", "")):
        raise AwsError(
            "InvalidInputException",
            "Invalid project source: a buildspec is required for source type NO_SOURCE",
        )


def check_environment(environment: dict[str, Any]) -> None:
    """Check a build environment and its variables."""
    if environment["type"] != "LINUX_CONTAINER":
        raise AwsError("UnsupportedOperation", f"local_aws has no environment {environment['type']}", 501)
    for variable in environment.get("environmentVariables", []):
        kind = variable.get("type", "PLAINTEXT")
        if kind not in VARIABLE_TYPES:
            raise AwsError(
                "UnsupportedOperation", f"local_aws has no environment variable of type {kind}", 501
            )
