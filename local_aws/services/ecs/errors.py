"""The errors that ECS raises, in AWS's words, and the failure of a task to start."""

from local_aws.core.api import AwsError


class TaskStartError(Exception):
    """A task could not start; the message is the task's stoppedReason."""


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
