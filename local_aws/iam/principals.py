"""Callers, and whether a statement's Principal element matches them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from local_aws.iam.documents import Principals, Statement

_SESSION = re.compile(
    r"arn:(?P<partition>[a-z-]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/(?P<session>.+)\Z"
)


class PrincipalMatch(IntEnum):
    """How closely a statement matches a caller; a broader match grants less (see `evaluation`)."""

    NONE = 0
    # Only its account: that delegates to the caller's own policies.
    ACCOUNT = 1
    # Its role, its identity provider, its service, or everyone.
    PRINCIPAL = 2
    # This user or session.
    EXACT = 3


@dataclass(frozen=True)
class Caller:
    """A principal: a user or session by `arn`, an AWS service, or a web identity.

    `account` is empty for a service and for a web identity.
    """

    arn: str
    account: str = ""
    # The role of a session.
    role_arn: str = ""
    service: str = ""
    federated: str = ""

    @property
    def name(self) -> str:
        """Return the caller's name in an error message of AWS."""
        return self.service or self.federated or self.arn


def session(arn: str) -> Caller:
    """Return the caller of a session's or a user's ARN. A session's ARN lacks the path of its role."""
    found = _SESSION.match(arn)
    if found is None:
        return Caller(arn, arn.split(":")[4])
    role = f"arn:{found['partition']}:iam::{found['account']}:role/{found['role']}"
    return Caller(arn, found["account"], role)


def session_of(role_arn: str, name: str) -> Caller:
    """Return the caller of the session `name` of a role."""
    partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
    role = role_arn.rpartition("/")[2]
    return Caller(f"arn:{partition}:sts::{account}:assumed-role/{role}/{name}", account, role_arn)


def service(name: str) -> Caller:
    """Return the caller of a service principal (`codebuild.amazonaws.com`)."""
    return Caller(name, service=name)


def match_principal(statement: Statement, caller: Caller) -> PrincipalMatch:
    """Return how closely a statement of a resource-based policy matches the caller."""
    if statement.principals is not None:
        return _closest(statement.principals, caller)
    if statement.not_principals is not None:
        excluded = _closest(statement.not_principals, caller)
        return PrincipalMatch.NONE if excluded else PrincipalMatch.PRINCIPAL
    return PrincipalMatch.NONE


def _closest(principals: Principals, caller: Caller) -> PrincipalMatch:
    found = (_match(kind, name, caller) for kind, names in principals.items() for name in names)
    return max(found, default=PrincipalMatch.NONE)


def _match(kind: str, name: str, caller: Caller) -> PrincipalMatch:
    if kind == "Service":
        return _match_name(name.lower(), caller.service)
    if kind == "Federated":
        return _match_name(name, caller.federated)
    if name == "*" and kind in ("*", "AWS"):
        return PrincipalMatch.PRINCIPAL
    return _match_aws(name, caller) if kind == "AWS" and caller.account else PrincipalMatch.NONE


def _match_name(name: str, caller: str) -> PrincipalMatch:
    return PrincipalMatch.PRINCIPAL if caller and name == caller else PrincipalMatch.NONE


def _match_aws(name: str, caller: Caller) -> PrincipalMatch:
    if name == caller.arn:
        return PrincipalMatch.EXACT
    if caller.role_arn and _is_same_role(name, caller.role_arn):
        return PrincipalMatch.PRINCIPAL
    account = name.split(":")[4] if name.endswith(":root") else name
    return PrincipalMatch.ACCOUNT if account == caller.account else PrincipalMatch.NONE


def _is_same_role(name: str, role_arn: str) -> bool:
    # A role's name is unique in its account whatever its path, and a session's ARN has no path.
    return ":role/" in name and (name.split(":")[4], name.rpartition("/")[2]) == (
        role_arn.split(":")[4],
        role_arn.rpartition("/")[2],
    )
