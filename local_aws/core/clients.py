"""Clients of AWS's services, for calls between services. All share one session.

Each session loads its own models, tens of megabytes for EC2 alone, and there is a client for each role.
"""

import threading
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

# The calls of our own services carry it in their user agent.
INTERNAL = "local_aws/service"
SESSION = botocore.session.get_session()
_CONFIG = Config(
    s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}, user_agent_extra=INTERNAL
)
# Each service has its own code for a denied call.
ACCESS_DENIED_CODES = frozenset(
    {"AccessDenied", "AccessDeniedException", "AccessDeniedFault", "UnauthorizedOperation"}
)
# Creating a client is not thread-safe; using one is.
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
_creating = threading.Lock()


def make_client(service: str, endpoint: str, region: str, keys: Mapping[str, str]) -> Any:
    """Return a client of `service`; `keys` have the names of environment variables."""
    with _creating:
        return SESSION.create_client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys.get("AWS_SESSION_TOKEN"),
            config=_CONFIG,
        )


def is_internal(headers: Mapping[str, str]) -> bool:
    """Return whether a request is of one of our own services, CloudFormation's among them."""
    return INTERNAL in headers.get("user-agent", "")


def as_variables(credentials: Mapping[str, Any]) -> dict[str, str]:
    """Return AssumeRole's `Credentials` as environment variables."""
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }


def is_denied(error: ClientError) -> bool:
    """Return whether a service denied the call."""
    return error.response["Error"]["Code"] in ACCESS_DENIED_CODES
