"""The cloud that a scenario runs on, local_aws or AWS, behind one interface."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import requests

from operations.account import REGION, Account
from operations.errors import OperationsError

PROJECT = Path(__file__).resolve().parent.parent
PORTS = {"http": 80, "https": 443}
# What git trusts, behind a proxy with a certificate of its own; https://git-scm.com/docs/git#_environment_variables
CERTIFICATES_OF_GIT = frozenset({"GIT_SSL_CAINFO", "GIT_SSL_CAPATH"})
CREDENTIALS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})


class HarnessError(OperationsError):
    """A problem that the user can fix; the message says how."""


@dataclass
class Cloud:
    """One cloud. `endpoint` is None on AWS; `time_scale` is the length of AWS's waits (1 on AWS).

    `containers` names the container engine of local_aws, and `isolation` says what its builds cannot see.
    `passed_through` returns the operations that local_aws answered without checks of its own.
    """

    name: str
    folder: Path
    endpoint: str | None = None
    time_scale: float = 1.0
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    containers: str = ""
    isolation: str = ""
    passed_through: Callable[[], Sequence[str]] = field(default=tuple, repr=False)

    @cached_property
    def account(self) -> Account:
        """The account, for boto3 and for operations."""
        session = boto3.session.Session(
            profile_name=self.keys.get("AWS_PROFILE"),
            aws_access_key_id=self.keys.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=self.keys.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=self.keys.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
        )
        return Account(session, self.endpoint)

    def client(self, service: str) -> Any:
        """Return the boto3 client of `service`."""
        return self.account.client(service)

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment of subprocesses: this process's, pointing to this cloud and our own tools."""
        own = _own_variables()
        if self.endpoint is not None:
            # The caller's own account must not reach local_aws, and vice versa.
            own = {name: value for name, value in own.items() if not name.startswith("AWS_")}
            own["AWS_ENDPOINT_URL"] = own["AWS_ENDPOINT_URL_S3"] = self.endpoint
            own["AWS_CONFIG_FILE"] = own["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
            own["AWS_EC2_METADATA_DISABLED"] = "true"
        if "AWS_PROFILE" in self.keys:
            # The AWS CLI prefers keys in variables to a profile; boto3 with an explicit profile does not.
            own = {name: value for name, value in own.items() if name not in CREDENTIALS}
        return {
            **own,
            **self.keys,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            # The CLI caches the account of an access key: it must not use the caller's cache.
            "CDK_HOME": str(self.folder / "cdk-home"),
            "CDK_OUTPUT": str(self.folder / "cdk.out"),
            "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)]),
        }

    def resolve(self, url: str) -> str:
        """Return the URL at which a load balancer's `url` is reachable: a loopback port on local_aws."""
        if self.endpoint is None:
            return url
        parts = urlsplit(url)
        listener = f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}"
        answer = requests.get(f"{self.endpoint}/_local_aws/listeners", timeout=10)
        answer.raise_for_status()
        # Host names have no case, and a URL's are in lower case; load balancers keep that of their names.
        addresses: dict[str, str] = {name.lower(): address for name, address in answer.json().items()}
        if listener not in addresses:
            raise HarnessError(f"local_aws has no listener {listener}, only {', '.join(addresses) or 'none'}")
        return parts._replace(netloc=addresses[listener]).geturl()

    @property
    def poll_seconds(self) -> float:
        """The seconds between two looks at a release; AWS counts the calls of all users of an account."""
        return 5.0 if self.endpoint is None else 0.5

    def interval(self, local: float) -> float:
        """Return the seconds between two looks: `local` ones only on local_aws, where states pass fast."""
        return self.poll_seconds if self.endpoint is None else local

    def minutes(self, of_aws: float, own: float = 5) -> float:
        """Return a deadline in seconds: `of_aws` scaled minutes, plus `own` minutes of real work."""
        return 60 * (of_aws * self.time_scale + own)


def _own_variables() -> dict[str, str]:
    """Return this process's variables without those of the CDK CLI and of git, except what git trusts."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in CERTIFICATES_OF_GIT or not name.startswith(("CDK_", "GIT_"))
    }
    if "AWS_CA_BUNDLE" in kept:
        # What boto3, the AWS CLI and the CDK CLI trust.
        kept.setdefault("GIT_SSL_CAINFO", kept["AWS_CA_BUNDLE"])
    return kept
