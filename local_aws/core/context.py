"""What every service is given: where state lives, whose account it is, how to reach the other services."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from local_aws.core.clients import as_variables, make_client
from local_aws.core.clock import Clock

logger = logging.getLogger("local_aws")

ACCOUNT = "123456789012"
REGION = "us-east-1"


class ServiceRole(str):
    """A role's ARN, with the AWS service that takes it on and the resource for which it does.

    The role's trust policy is asked for both: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """

    service: str
    source_arn: str

    def __new__(cls, arn: str, service: str, source_arn: str) -> "ServiceRole":
        """Name the service as in its principal, without `.amazonaws.com`."""
        made = super().__new__(cls, arn)
        made.service = f"{service}.amazonaws.com"
        made.source_arn = source_arn
        return made


def _allow(_caller: str, _action: str, _resource: str) -> None:
    """Allow everything: a context of a test has no IAM."""


def _first() -> str:
    """Name the account that local_aws has from the start."""
    return ACCOUNT


def _let(_service: str, _action: str, _resource: str, _source_arn: str = "") -> str | None:
    """Let every service do everything: a context of a test has no IAM."""
    return None


@dataclass
class Context:
    """One running local_aws.

    Services call each other only through `client`: real API calls over the endpoint, so that each of them
    learns everything as AWS's services do, and as the role that the template gave them.
    """

    state: Path
    endpoint: str
    clock: Clock
    instance: str
    # (source, detail_type, resources, detail): an event of AWS's own on the default bus. Set by the server.
    emit: Callable[[str, str, list[str], dict[str, Any]], None]
    region: str = REGION
    # Whose calls these are: one account's, or that of whoever is being answered.
    account_provider: Callable[[], str] = _first
    # All three of IAM's. Credentials for a service that takes on a role: AssumeRole's `Credentials`, or
    # `ClientError`. Whether a caller (access key or role ARN) may do what has no API call: `AwsError` if not.
    # Why a service itself (`events.amazonaws.com`) may not do something to a resource, None if it may.
    assume: Callable[[ServiceRole], dict[str, str]] | None = None
    authorize: Callable[[str, str, str], None] = _allow
    denial_reason: Callable[..., str | None] = _let
    # Exceptions that ended a background thread: a false green if nobody looks, so tests and `down` do.
    faults: list[str] = field(default_factory=list)
    _clients: dict[tuple[str, str, str | None, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def account(self) -> str:
        """The account, twelve digits."""
        return self.account_provider()

    def for_account(self, account_provider: Callable[[], str], state: Path | None = None) -> "Context":
        """Return a context whose calls are another account's; faults are kept together."""
        return replace(
            self,
            account_provider=account_provider,
            state=state or self.state,
            _clients={},
            _lock=threading.Lock(),
        )

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of `resource` of `service` in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def client(self, service: str, role_arn: str | None = None) -> Any:
        """Return a boto3 client of `service`, acting as `role_arn` when one is given: a `ServiceRole`."""
        return self.client_of(self.account, service, role_arn)

    def client_of(self, account: str, service: str, role_arn: str | None = None) -> Any:
        """Return a client that acts as the owner of an account, or as a role."""
        with self._lock:
            key = (account, service, role_arn, getattr(role_arn, "source_arn", ""))
            if key not in self._clients:
                self._clients[key] = self._make_client(account, service, role_arn)
            return self._clients[key]

    def credentials(self, role_arn: str) -> dict[str, str]:
        """Return temporary credentials of `role_arn` as environment variables (STS AssumeRole)."""
        with self._lock:
            return self._assume(role_arn)

    def spawn(self, name: str, work: Callable[..., None], *args: Any) -> threading.Thread:
        """Run `work` on a daemon thread; what it raises is logged and kept in `faults`."""

        def run() -> None:
            try:
                work(*args)
            except Exception as error:
                logger.exception("%s failed", name)
                self.faults.append(f"{name}: {error!r}")

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def _make_client(self, account: str, service: str, role_arn: str | None) -> Any:
        # A 12-digit access key is the account id for MiniStack; it is no secret.
        keys = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "local"}
        if role_arn is not None:
            keys = self._assume(role_arn)
        return make_client(service, self.endpoint, self.region, keys)

    def _assume(self, role_arn: str) -> dict[str, str]:
        if self.assume is not None:
            if not isinstance(role_arn, ServiceRole):
                raise TypeError(f"{role_arn} is taken on by nobody: say by which service, with a ServiceRole")
            secret = self.assume(role_arn)
        else:
            # The lock is held by `client`; a nested `client("sts")` would wait for itself.
            key = (self.account, "sts", None, "")
            sts = self._clients.setdefault(key, self._make_client(self.account, "sts", None))
            secret = sts.assume_role(RoleArn=role_arn, RoleSessionName="local-aws")["Credentials"]
        return as_variables(secret)
