"""The errors of Application Auto Scaling, in AWS's words."""

from local_aws.core.api import AwsError


def invalid(message: str) -> AwsError:
    """Return a ValidationException."""
    return AwsError("ValidationException", message)


def unsupported(what: str) -> AwsError:
    """Return the error for what local_aws does not implement."""
    return AwsError("UnsupportedOperation", f"local_aws does not implement {what}", 501)


def service_missing(resource: str) -> AwsError:
    """Return the error of a service that does not exist; the message: spinnaker/spinnaker#4371."""
    return invalid(f"ECS service doesn't exist: {resource}")


def missing_permissions(actions: list[str]) -> AwsError:
    """Return the error of a caller who may not do what the service would do.

    The message: aws/aws-auto-scaling-custom-resource#25.
    """
    return invalid(f"User is missing the following permissions: {', '.join(actions)}")


def resource_not_found(arn: str) -> AwsError:
    """Return the error of an ARN without a target; the words are ours."""
    return AwsError("ResourceNotFoundException", f"Resource not found: {arn}")


def not_registered(resource: str, dimension: str) -> AwsError:
    """Return the error of a policy for no target.

    The message: cloudposse/terraform-aws-ecs-cloudwatch-autoscaling#36.
    """
    return _not_found("No scalable target registered", resource, dimension)


def target_not_found(resource: str, dimension: str) -> AwsError:
    """Return the error of a target that does not exist."""
    return _not_found("No scalable target found", resource, dimension)


def policy_not_found(resource: str, dimension: str, name: str) -> AwsError:
    """Return the error of a policy that does not exist."""
    return _not_found("No scaling policy found", resource, dimension, f", policy name: {name}")


def _not_found(what: str, resource: str, dimension: str, rest: str = "") -> AwsError:
    message = (
        f"{what} for service namespace: ecs, resource ID: {resource}, scalable dimension: {dimension}{rest}"
    )
    return AwsError("ObjectNotFoundException", message)
