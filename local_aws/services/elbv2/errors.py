"""The errors that ELBv2 raises."""

from local_aws.core.api import AwsError


def validation_error(message: str) -> AwsError:
    """Return AWS's error for a request parameter that is not valid."""
    return AwsError("ValidationError", message)


def unsupported(what: str) -> AwsError:
    """Return the error for a feature of AWS that local_aws does not implement."""
    return AwsError("UnsupportedOperation", f"local_aws does not implement {what}", 501)
