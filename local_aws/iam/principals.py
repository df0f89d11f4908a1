"""Who asks, and whether a statement's Principal names them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from local_aws.iam.documents import Principals, Statement

_SESSION = re.compile(
    r"arn:(?P<partition>[a-z-]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/(?P<session>.+)\Z"
)


class Named(IntEnum):
    """How a statement names a caller; a wider name gives less (see `evaluation`)."""

    NOT = 0
    # Only its account: that delegates to the caller's own policies.
    ACCOUNT = 1
    # Its role, its federation, its service, or everybody.
    ITSELF = 2
    # This very user or session.
    EXACTLY = 3


@dataclass(frozen=True)
class Caller:
    """A principal: a user or session by `arn`, an AWS service, or what a web identity's token says.

    `account` is empty when it is of no account: a service, a web identity.
    """

    arn: str
    account: str = ""
    # Of a session, the role that it is of.
    role_arn: str = ""
    service: str = ""
    federated: str = ""

    @property
    def name(self) -> str:
        """Return what AWS calls the caller in a refusal."""
        return self.service or self.federated or self.arn


def session(arn: str) -> Caller:
    """Return the caller that a session's or a user's ARN names. A role's path is not in its session's ARN."""
    found = _SESSION.match(arn)
    if found is None:
        return Caller(arn, arn.split(":")[4])
    role = f"arn:{found['partition']}:iam::{found['account']}:role/{found['role']}"
    return Caller(arn, found["account"], role)


def session_of(role_arn: str, name: str) -> Caller:
    """Return the caller that a session of a role is."""
    partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
    role = role_arn.rpartition("/")[2]
    return Caller(f"arn:{partition}:sts::{account}:assumed-role/{role}/{name}", account, role_arn)


def service(name: str) -> Caller:
    """Return the caller that an AWS service itself is (`codebuild.amazonaws.com`)."""
    return Caller(name, service=name)


def applies(statement: Statement, caller: Caller) -> Named:
    """Say how a statement of a resource's policy names the caller."""
    if statement.principals is not None:
        return _named(statement.principals, caller)
    if statement.not_principals is not None:
        return Named.NOT if _named(statement.not_principals, caller) else Named.ITSELF
    return Named.NOT


def _named(principals: Principals, caller: Caller) -> Named:
    found = Named.NOT
    for kind, names in principals.items():
        for name in names:
            found = max(found, _one(kind, name, caller))
    return found


def _one(kind: str, name: str, caller: Caller) -> Named:
    if name == "*" and kind in ("*", "AWS"):
        return Named.ITSELF
    if kind == "Service":
        return Named.ITSELF if caller.service and name.lower() == caller.service else Named.NOT
    if kind == "Federated":
        return Named.ITSELF if caller.federated and name == caller.federated else Named.NOT
    if kind != "AWS" or not caller.account:
        return Named.NOT
    if name == caller.arn:
        return Named.EXACTLY
    if caller.role_arn and _same_role(name, caller.role_arn):
        return Named.ITSELF
    account = name.split(":")[4] if name.endswith(":root") else name
    return Named.ACCOUNT if account == caller.account else Named.NOT


def _same_role(name: str, role_arn: str) -> bool:
    # Names are unique in an account whatever their path, and a session's ARN has no path.
    return ":role/" in name and (name.split(":")[4], name.rpartition("/")[2]) == (
        role_arn.split(":")[4],
        role_arn.rpartition("/")[2],
    )
