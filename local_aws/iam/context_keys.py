"""The global condition context keys of a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from datetime import UTC, datetime

from local_aws.iam.matching import Value
from local_aws.iam.principals import Caller
from local_aws.ministack import iam as store


def context_keys(
    caller: Caller, session: store.Session | None, region: str, resource_account: str
) -> dict[str, Value]:
    """Return the keys of a request, in lower case."""
    now = datetime.now(UTC)
    return {
        "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:requestedregion": region,
        # The endpoint takes the place of AWS's, which is HTTPS.
        "aws:securetransport": "true",
        "aws:sourceip": "127.0.0.1",
        "aws:resourceaccount": resource_account,
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": str(bool(caller.service)).lower(),
        **_principal_keys(caller),
        **_session_keys(session),
    }


def _principal_keys(caller: Caller) -> dict[str, Value]:
    if caller.service:
        return {"aws:principalservicename": caller.service}
    if not caller.account:
        return {}
    keys: dict[str, Value] = {
        "aws:principalarn": caller.role_arn or caller.arn,
        "aws:principalaccount": caller.account,
        "aws:principaltype": "AssumedRole" if caller.role_arn else "User",
    }
    return keys if caller.role_arn else {**keys, "aws:username": caller.arn.rpartition("/")[2]}


def _session_keys(session: store.Session | None) -> dict[str, Value]:
    if session is None:
        return {}
    tags = {f"aws:principaltag/{key.lower()}": value for key, value in session.tags.items()}
    return {"aws:userid": session.user_id, **tags}
