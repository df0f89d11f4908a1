"""Elastic Container Registry Public: the sign-in to public.ecr.aws."""

import base64
import secrets
import time
from collections.abc import Mapping
from typing import Any

from local_aws.core.api import JsonService, now
from local_aws.core.context import Context
from local_aws.services.ecr_public.registry import PublicRegistry

TOKEN_SECONDS = 12 * 3600


class EcrPublic(JsonService):
    """The service in one account. It has no public repositories of the account."""

    service = "ecr-public"

    def __init__(self, context: Context, registry: PublicRegistry) -> None:
        super().__init__(context)
        self.registry = registry

    def get_authorization_token(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        """Make a password for `docker login public.ecr.aws`, good for twelve hours."""
        password = secrets.token_urlsafe(48)
        expires = self.registry.logins[password] = time.time() + TOKEN_SECONDS
        data = {
            "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
            "expiresAt": now().fromtimestamp(expires, now().tzinfo),
        }
        return {"authorizationData": data}
