"""Clients of AWS's services, as those that call them: all of one session, which reads each model once.

A session reads the models for itself, EC2's alone has tens of megabytes; and there is a client for each role.
"""

import threading
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.config import Config

# Our own services' calls carry it in their user agent.
INTERNAL = "local_aws/service"
SESSION = botocore.session.get_session()
_CONFIG = Config(
    s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}, user_agent_extra=INTERNAL
)
# A session makes one client at a time; what it has made, any thread may use.
_making = threading.Lock()


def make_client(service: str, endpoint: str, region: str, keys: Mapping[str, str]) -> Any:
    """Return a client of `service`; `keys` are named as environment variables."""
    with _making:
        return SESSION.create_client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys.get("AWS_SESSION_TOKEN"),
            config=_CONFIG,
        )


def as_variables(credentials: Mapping[str, Any]) -> dict[str, str]:
    """Return AssumeRole's `Credentials` as environment variables."""
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }
