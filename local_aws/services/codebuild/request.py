"""What a build was started with, and how a phase of it can fail."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.context import ServiceRole
from local_aws.host.interpreters import PythonNotFoundError
from local_aws.services.codebuild.archives import FilesError
from local_aws.services.codebuild.buildspec import BuildspecError
from local_aws.services.codebuild.images import ImageNotKnownError
from local_aws.services.codebuild.reports import ReportError, TestCase
from local_aws.services.codebuild.source import SourceError
from local_aws.services.codebuild.variables import VariablesError

ERROR_CODES: dict[type[Exception], str] = {
    BuildspecError: "YAML_FILE_ERROR",
    VariablesError: "Decrypted Variables Error",
    ImageNotKnownError: "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
    PythonNotFoundError: "CLIENT_ERROR",
    SourceError: "CLIENT_ERROR",
    FilesError: "CLIENT_ERROR",
    ReportError: "CLIENT_ERROR",
    ClientError: "CLIENT_ERROR",
}


class PhaseError(Exception):
    """A phase did not succeed; `status` as in the API."""

    def __init__(self, code: str, message: str, status: str = "FAILED") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class InterruptedBuildError(PhaseError):
    """The build was stopped, or its time is over."""


@dataclass
class Request:
    """What a build was started with, overrides applied (API structures of the project)."""

    source: dict[str, Any]
    artifacts: dict[str, Any]
    environment: dict[str, Any]
    service_role: ServiceRole
    encryption_key: str | None
    log_group: str | None
    log_stream: str
    # (report group's name or ARN as in the buildspec, test cases)
    add_report: Callable[[str, list[TestCase]], None] = field(repr=False)
