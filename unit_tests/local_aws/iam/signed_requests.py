"""Short ways to write requests and policies for the tests of IAM."""

from typing import Any

from local_aws.iam.documents import parse
from local_aws.iam.evaluation import Decision, Policies, Policy, Request, decide
from local_aws.iam.principals import Caller, session_of

ACCOUNT, OTHER = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/builder"
SESSION = session_of(ROLE, "run")
USER = Caller(f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT)
BUCKET = "arn:aws:s3:::b"
OBJECT = f"{BUCKET}/k"


def policy(*statements: dict[str, Any], version: str = "2012-10-17", owner: str = "p") -> Policy:
    """Return a policy of these statements."""
    return Policy(owner, parse({"Version": version, "Statement": list(statements)}))


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a statement that allows; `Principal` and `Condition` may be given."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a statement that denies."""
    return {**allow(action, resource, **more), "Effect": "Deny"}


def ask(
    *identity: Policy,
    resource: Policy | None = None,
    caller: Caller = SESSION,
    action: str = "s3:GetObject",
    about: str = OBJECT,
    owner: str = ACCOUNT,
    boundary: Policy | None = None,
    session: Policy | None = None,
    required: bool = False,
    **values: str | tuple[str, ...],
) -> Decision:
    """Decide a request. A context key is written `aws__SourceArn`."""
    boundaries = []
    if boundary is not None:
        boundaries.append(("a permissions boundary", (boundary,)))
    if session is not None:
        boundaries.append(("a session policy", (session,)))
    keys = {name.replace("__", ":").lower(): value for name, value in values.items()}
    request = Request(caller, action, about, owner, keys)
    return decide(request, Policies(identity, tuple(boundaries), resource, required))
