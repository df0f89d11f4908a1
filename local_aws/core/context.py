"""The context of every service: its state folder, its account, and clients of the other services."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.clients import as_variables, make_client
from local_aws.core.clock import Clock
from local_aws.core.sandboxed import Sandboxed, as_it_is

logger = logging.getLogger("local_aws")

ACCOUNT = "123456789012"
REGION = "us-east-1"


class Source(Enum):
    """What a service sends of the resource for which it assumes a role: each service's own page says it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """

    NONE = ()
    ACCOUNT = ("aws:sourceaccount",)
    ACCOUNT_AND_ARN = ("aws:sourceaccount", "aws:sourcearn")


class ServiceRole(str):
    """A role's ARN, with the AWS service that assumes it and the resource for which it does.

    A trust policy can require only what the service sends of the resource (pitfall D10).
    """

    service: str
    source_arn: str
    sent: Source

    def __new__(cls, arn: str, service: str, source_arn: str, sent: Source) -> "ServiceRole":
        """Create the ARN; `service` is that of the principal, without `.amazonaws.com`."""
        made = super().__new__(cls, arn)
        made.service = f"{service}.amazonaws.com"
        made.source_arn = source_arn
        made.sent = sent
        return made


def _allow(_caller: str, _action: str, _resource: str, _via: str = "") -> None:
    """Allow everything: a unit test's context has no IAM."""


def _root_of_access_key(access_key: str) -> str:
    """Return the root user of an account: a unit test's context has no IAM."""
    return f"arn:aws:iam::{access_key if access_key.isdigit() else '123456789012'}:root"


def _no_role(_account: str, _service: str, _caller: str) -> None:
    """Create no role: a unit test's context has no IAM."""


def _no_denial(_service: str, _action: str, _resource: str, _source_arn: str = "") -> str | None:
    """Allow every service everything: a unit test's context has no IAM."""
    return None


def _default_account() -> str:
    return ACCOUNT


@dataclass
class Context:
    """The context of one local_aws server.

    Services call each other only through `client`, with API calls over the endpoint: each gets what AWS's
    service gets, with the permissions of the role that the template gives it.
    """

    state: Path
    endpoint: str
    clock: Clock
    instance: str
    # (source, detail_type, resources, detail): puts an AWS event on the default bus. Set by the server.
    emit: Callable[[str, str, list[str], dict[str, Any]], None]
    region: str = REGION
    # The account of the calls: a fixed one, or that of the current request.
    account_provider: Callable[[], str] = _default_account
    # IAM sets these five. `assume` returns AssumeRole's `Credentials`, or raises `ClientError`.
    # `authorize` raises `AwsError` unless a caller (access key or role ARN) may perform an action that has no
    # API call. `denial_reason` says why a service principal may not act on a resource, or returns None.
    assume: Callable[[ServiceRole], dict[str, str]] | None = None
    authorize: Callable[..., None] = _allow
    denial_reason: Callable[..., str | None] = _no_denial
    # Creates the service-linked role of a service in an account, if the caller (an access key) may create it.
    create_service_linked_role: Callable[[str, str, str], None] = _no_role
    # Returns the ARN of the user, or of the role's session, that an access key was issued to.
    identity: Callable[[str], str] = _root_of_access_key
    # The secret access key of the root users. Set by the server.
    secret: str = field(default="local", repr=False)
    # Returns the command that runs the code of a commit in the server's sandbox. Set by the server.
    sandboxed: Sandboxed = as_it_is
    # What the sandbox hides from them, for people.
    isolation: str = ""
    # Errors outside any request, as of background threads. Tests and `down` fail on them.
    background_errors: list[str] = field(default_factory=list)
    _work: Path | None = None
    _clients: dict[tuple[str, str, str | None, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def account(self) -> str:
        """The account, twelve digits."""
        return self.account_provider()

    @property
    def work(self) -> Path:
        """The part of the state folder that builds, tasks and functions can see."""
        return self._work or self.state / "work"

    def for_account(self, account_provider: Callable[[], str], state: Path | None = None) -> "Context":
        """Return a context of another account; it shares the list of background errors.

        With `state`, the account has a state folder of its own.
        """
        return replace(
            self,
            account_provider=account_provider,
            state=state or self.state,
            _work=self.work / state.name if state and state != self.state else self.work,
            _clients={},
            _lock=threading.Lock(),
        )

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of `resource` of `service` in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def client(self, service: str, role_arn: str | None = None) -> Any:
        """Return a client of `service`, with the credentials of `role_arn` (a `ServiceRole`) if given."""
        return self.client_of(self.account, service, role_arn)

    def client_of(self, account: str, service: str, role_arn: str | None = None) -> Any:
        """Return a client with the credentials of an account's root user, or of a role."""
        with self._lock:
            key = (account, service, role_arn, getattr(role_arn, "source_arn", ""))
            if key not in self._clients:
                self._clients[key] = self._make_client(account, service, role_arn)
            return self._clients[key]

    def credentials(self, role_arn: str) -> dict[str, str]:
        """Return temporary credentials of `role_arn` as environment variables (STS AssumeRole)."""
        with self._lock:
            return self._assume(role_arn)

    def may_assume(self, role: ServiceRole) -> bool:
        """Return whether a role exists and trusts the service that is to assume it."""
        try:
            self.credentials(role)
        except ClientError:
            return False
        return True

    def spawn(self, name: str, work: Callable[..., None], *args: Any) -> threading.Thread:
        """Run `work` on a daemon thread. An exception is logged, and recorded as a background error."""

        def run() -> None:
            try:
                work(*args)
            except Exception as error:
                logger.exception("%s failed", name)
                self.background_errors.append(f"{name}: {error!r}")

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def _make_client(self, account: str, service: str, role_arn: str | None) -> Any:
        # MiniStack reads a 12-digit access key as the account id.
        keys = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": self.secret}
        if role_arn is not None:
            keys = self._assume(role_arn)
        return make_client(service, self.endpoint, self.region, keys)

    def _assume(self, role_arn: str) -> dict[str, str]:
        if self.assume is not None:
            if not isinstance(role_arn, ServiceRole):
                raise TypeError(f"{role_arn} has no service that assumes it: pass a ServiceRole")
            secret = self.assume(role_arn)
        else:
            # `client` holds the lock; a nested `client("sts")` would deadlock.
            key = (self.account, "sts", None, "")
            sts = self._clients.setdefault(key, self._make_client(self.account, "sts", None))
            secret = sts.assume_role(RoleArn=role_arn, RoleSessionName="local-aws")["Credentials"]
        return as_variables(secret)
