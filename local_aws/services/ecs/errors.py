"""The errors that ECS raises, in AWS's words, and the failure of a task to start."""

import re

from local_aws.core.api import AwsError

# What runc says of a program that it cannot start, in each engine's own sentence.
_PROGRAM = re.compile(
    r'exec: "[^"]*": '
    r"(executable file not found in \$PATH|stat \S+: no such file or directory|permission denied)"
)
# Fargate's sentence: https://github.com/aws/amazon-ecs-agent/issues/3526
_RUNTIME = (
    "ResourceInitializationError: failed to create new container runtime task: failed to create shim task: "
    "OCI runtime create failed: runc create failed: unable to start container process: "
)


class TaskStartError(Exception):
    """A task could not start; the message is the task's stoppedReason."""


def cannot_start(message: str) -> str:
    """Return why a container of a task cannot be started, from the engine's error."""
    program = _PROGRAM.search(message)
    reason = f"{_RUNTIME}{program[0]}: unknown" if program else message
    return f"CannotStartContainerError: {reason}"


def client_error(message: str) -> AwsError:
    """Return ClientException: AWS's error for a task definition that is not valid."""
    return AwsError("ClientException", message)


def invalid_parameter(message: str) -> AwsError:
    """Return InvalidParameterException."""
    return AwsError("InvalidParameterException", message)


def cluster_not_found() -> AwsError:
    """Return ClusterNotFoundException."""
    return AwsError("ClusterNotFoundException", "Cluster not found.")


def service_not_found() -> AwsError:
    """Return ServiceNotFoundException."""
    return AwsError("ServiceNotFoundException", "Service not found.")


def service_not_active() -> AwsError:
    """Return ServiceNotActiveException."""
    return AwsError("ServiceNotActiveException", "Service was not ACTIVE.")


def task_set_not_found() -> AwsError:
    """Return TaskSetNotFoundException."""
    return AwsError("TaskSetNotFoundException", "The specified task set was not found.")


def unsupported(message: str) -> AwsError:
    """Return the error for a feature of AWS that local_aws does not implement."""
    return AwsError("UnsupportedOperation", message, 501)
