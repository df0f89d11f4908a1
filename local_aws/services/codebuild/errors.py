"""The errors of CodeBuild's operations, and the errors that fail a phase of a build.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Operations.html
"""

from typing import ClassVar

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError
from local_aws.host.interpreters import PythonNotFoundError


class BuildError(Exception):
    """Fails the phase that raises it, with `status_code` as the statusCode of the API's PhaseContext."""

    status_code: ClassVar[str] = "CLIENT_ERROR"


class BuildspecError(BuildError):
    """The buildspec is invalid."""

    status_code = "YAML_FILE_ERROR"


class VariablesError(BuildError):
    """The value of an environment variable cannot be retrieved (pitfall F4)."""

    status_code = "Decrypted Variables Error"


class UnknownImageError(BuildError):
    """The build image is not one of the curated images that local_aws emulates."""

    status_code = "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"


class SourceError(BuildError):
    """The source cannot be downloaded."""


class FilesError(BuildError):
    """The zip of the source cannot be unpacked, or a file pattern matches nothing."""


class ReportError(BuildError):
    """A report cannot be added: its files are missing or no JUnit XML, or the role may not write it."""

    def __init__(self, report: str, reason: str) -> None:
        super().__init__(f"Error in UPLOAD_ARTIFACTS phase: [{report}: [{reason}]]")


# What fails a phase without an error in local_aws.
PHASE_ERRORS = (BuildError, PythonNotFoundError, ClientError)


def status_code(error: Exception) -> str:
    """Return the statusCode of the phase context that reports one of `PHASE_ERRORS`."""
    return error.status_code if isinstance(error, BuildError) else "CLIENT_ERROR"


class PhaseError(Exception):
    """A phase did not succeed; `code` and `message` are its context's, `status` is its phaseStatus."""

    def __init__(self, code: str, message: str, status: str = "FAILED") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class InterruptedBuildError(PhaseError):
    """The build was stopped, or it timed out."""


def invalid_input(message: str) -> AwsError:
    """Return the error for an invalid argument."""
    return AwsError("InvalidInputException", message)


def already_exists(kind: str, identifier: str) -> AwsError:
    """Return the error for a name that is taken."""
    return AwsError("ResourceAlreadyExistsException", f"{kind} already exists: {identifier}")


def role_not_assumable() -> AwsError:
    """Return the error for a service role that does not exist, or does not trust CodeBuild.

    https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html#troubleshooting-assume-role
    """
    return invalid_input(
        "CodeBuild is not authorized to perform: sts:AssumeRole on service role. Please verify that: "
        "1) The provided service role exists, 2) The role name is case-sensitive and matches exactly, and "
        "3) The role has the necessary trust policy configured."
    )


def not_found(kind: str, identifier: str) -> AwsError:
    """Return the error for an unknown resource."""
    return AwsError("ResourceNotFoundException", f"{kind} cannot be found: {identifier}")


def unsupported(message: str) -> AwsError:
    """Return the error for a feature that AWS has and local_aws does not."""
    return AwsError("UnsupportedOperation", message, 501)
