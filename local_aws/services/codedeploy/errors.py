"""The errors that end a deployment, with AWS's codes and messages."""

from botocore.exceptions import ClientError

from local_aws.core.clients import is_denied

FAILURE, ALARM, REQUEST = (
    "DEPLOYMENT_FAILURE",
    "DEPLOYMENT_STOP_ON_ALARM",
    "DEPLOYMENT_STOP_ON_REQUEST",
)


class DeploymentEndedError(Exception):
    """The deployment ends as `status` with an ErrorCode and message; `trigger` is its rollback event."""

    def __init__(self, code: str, message: str, status: str = "Failed", trigger: str = FAILURE) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.trigger = trigger


class ServerStoppedError(Exception):
    """local_aws stops: the deployment stays as it is."""


def stopped_by_user() -> DeploymentEndedError:
    """Return the error for StopDeployment."""
    return DeploymentEndedError("MANUAL_STOP", "The deployment was stopped by the user.", "Stopped", REQUEST)


def stopped_by_alarms(names: list[str]) -> DeploymentEndedError:
    """Return the error for alarms in ALARM."""
    text = (
        "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, "
        f"and the affected deployments have been stopped. Activated alarms: {', '.join(names)}"
    )
    return DeploymentEndedError("ALARM_ACTIVE", text, "Stopped", ALARM)


def green_timed_out() -> DeploymentEndedError:
    """Return the error for a replacement that did not become healthy in time."""
    text = (
        "The deployment timed out while waiting for the replacement task set to become healthy. "
        "This time out period is 60 minutes."
    )
    return DeploymentEndedError("TIMEOUT", text)


def from_client_error(error: ClientError) -> DeploymentEndedError:
    """Return the error for a failed call to another service."""
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    operation = error.operation_name
    if is_denied(error):
        return DeploymentEndedError(
            "IAM_ROLE_PERMISSIONS",
            f"The provided role does not have sufficient permissions: {message} ({operation})",
        )
    if operation in ELBV2_CALLS:
        return elb_not_updated(message)
    if code == "ResourceNotReadyException":
        # The function exists, and could not be invoked (pitfall N7).
        text = f"The validation hook could not be invoked: {message} ({code})"
        return DeploymentEndedError("HOOK_EXECUTION_FAILURE", text)
    if operation in LAMBDA_CALLS:
        return DeploymentEndedError("INVALID_LAMBDA_FUNCTION", f"{message} ({code})")
    text = f"The ECS service cannot be updated due to an unexpected error: {message} (Error Code: {code})"
    return DeploymentEndedError("ECS_UPDATE_ERROR", text)


def elb_not_updated(reason: str) -> DeploymentEndedError:
    """Return the error for a listener that cannot be updated (pitfall C5)."""
    text = f"The ELB could not be updated due to the following error: {reason}"
    return DeploymentEndedError("ELASTIC_LOAD_BALANCING_INVALID", text)


ELBV2_CALLS = frozenset(
    {
        *("DescribeListeners", "DescribeRules", "ModifyListener", "ModifyRule", "DescribeTargetGroups"),
        "DescribeTargetHealth",
    }
)
LAMBDA_CALLS = frozenset({"Invoke"})
