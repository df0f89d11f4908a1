"""CodeBuild's operations on projects."""

from collections.abc import Mapping
from typing import Any, cast

from botocore.model import OperationModel

from local_aws.core.api import JsonService, now
from local_aws.core.context import Context, ServiceRole, Source
from local_aws.services.codebuild.errors import already_exists, invalid_input, not_found, role_not_assumable
from local_aws.services.codebuild.identifiers import check_identifiers
from local_aws.services.codebuild.shapes import ProjectShape
from local_aws.services.codebuild.validation import check_members, check_project

# https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
DEFAULT_TIMEOUT_MINUTES = 60
DEFAULT_QUEUED_MINUTES = 480


class Projects(JsonService):
    """The projects, by name."""

    service = "codebuild"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.projects: dict[str, ProjectShape] = {}

    def _validate(self, operation: OperationModel, params: Mapping[str, Any]) -> None:
        check_identifiers(operation.name, params)
        super()._validate(operation, params)

    def create_project(self, params: dict[str, Any]) -> dict[str, Any]:
        """Create a project."""
        name = params["name"]
        if name in self.projects:
            raise already_exists("Project", self.project_arn(name))
        defaults = {
            "timeoutInMinutes": DEFAULT_TIMEOUT_MINUTES,
            "queuedTimeoutInMinutes": DEFAULT_QUEUED_MINUTES,
            "cache": {"type": "NO_CACHE"},
            "tags": [],
            "arn": self.project_arn(name),
            "created": now(),
        }
        return {"project": self._store(defaults | params)}

    def update_project(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change the given members of a project."""
        return {"project": self._store({**self.find_project(params["name"]), **params})}

    def delete_project(self, params: dict[str, Any]) -> None:
        """Delete a project; an unknown name is not an error, as on AWS."""
        self.projects.pop(_short_name(params["name"]), None)

    def batch_get_projects(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return several projects, and the names of those that do not exist."""
        names = [_short_name(name) for name in params["names"]]
        return {
            "projects": [self.projects[name] for name in names if name in self.projects],
            "projectsNotFound": [name for name in names if name not in self.projects],
        }

    def list_projects(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the names of the projects."""
        names = sorted(self.projects)
        if params.get("sortBy") == "CREATED_TIME":
            names.sort(key=lambda name: self.projects[name]["created"])
        elif params.get("sortBy") == "LAST_MODIFIED_TIME":
            names.sort(key=lambda name: self.projects[name]["lastModified"])
        return {"projects": names[::-1] if params.get("sortOrder") == "DESCENDING" else names}

    def find_project(self, name: str) -> ProjectShape:
        """Return a project by name or ARN; raises `ResourceNotFoundException`."""
        short_name = _short_name(name)
        if short_name not in self.projects:
            raise not_found("Project", self.project_arn(short_name))
        return self.projects[short_name]

    def project_arn(self, name: str) -> str:
        """Return a project's ARN."""
        return self.context.arn("codebuild", f"project/{name}")

    def service_role(self, project: ProjectShape) -> ServiceRole:
        """Return a project's role, as CodeBuild assumes it.

        https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
        """
        arn = self.project_arn(project["name"])
        return ServiceRole(project["serviceRole"], "codebuild", arn, Source.ACCOUNT_AND_ARN)

    def _store(self, members: dict[str, Any]) -> ProjectShape:
        project = cast(ProjectShape, {**check_members(members), "lastModified": now()})
        check_project(project)
        if project["serviceRole"].split(":")[4] != self.context.account:
            raise invalid_input("Invalid service role: Service role account ID does not match")
        if not self.context.may_assume(self.service_role(project)):
            raise role_not_assumable()
        self.projects[project["name"]] = project
        return project


def _short_name(name_or_arn: str) -> str:
    return name_or_arn.rpartition("/")[2]
