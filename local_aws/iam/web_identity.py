"""AssumeRoleWithWebIdentity: a token of one of the account's identity providers assumes a role.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local_aws.iam.error_responses import Denial
from local_aws.iam.matching import Value
from local_aws.iam.principals import Caller

CODE, EXPIRED = "InvalidIdentityToken", "ExpiredTokenException"


class TokenError(Exception):
    """A token that AWS rejects before it evaluates any policy."""

    def __init__(self, message: str, code: str = CODE) -> None:
        super().__init__(message)
        self.denial = Denial(message, code, 400)


@dataclass(frozen=True)
class Identity:
    """A token's provider, as a caller, and its claims, as condition keys."""

    caller: Caller
    values: Mapping[str, Value]


def identity(token: str, account: str, providers: Mapping[str, list[str]]) -> Identity:
    """Parse a token; `providers` are the account's client ids by provider ARN. Raises `TokenError`.

    Its signature is not verified: the provider's keys are not on this machine.
    """
    claims = _claims(token)
    issuer = str(claims.get("iss", ""))
    host = urlsplit(issuer).netloc + urlsplit(issuer).path.rstrip("/")
    arn = f"arn:aws:iam::{account}:oidc-provider/{host}"
    if arn not in providers:
        raise TokenError(f"No OpenIDConnect provider found in your account for {issuer}")
    _check_time(claims.get("exp"))
    audiences = claims.get("aud")
    audience = audiences if isinstance(audiences, str) else next(iter(audiences or []), "")
    if audience not in providers[arn]:
        raise TokenError("Incorrect token audience")
    values: dict[str, Value] = {f"{host}:aud": str(audience)}
    values |= {f"{host}:{name}": str(claims[name]) for name in ("sub", "email") if name in claims}
    return Identity(Caller(arn, federated=arn), {key.lower(): value for key, value in values.items()})


def _check_time(expiration: object) -> None:
    """Raise `TokenError` for a token that has expired.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
    """
    now = int(time.time())
    if isinstance(expiration, int | float) and expiration <= now:
        message = f"Token expired: current date/time {now} must be before the expiration date/time"
        raise TokenError(f"{message} {int(expiration)}", EXPIRED)


def _claims(token: str) -> Mapping[str, Any]:
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, binascii.Error) as error:
        raise TokenError(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        ) from error
    if not isinstance(claims, Mapping):
        raise TokenError("The ID Token provided is not a valid JWT.")
    return claims
