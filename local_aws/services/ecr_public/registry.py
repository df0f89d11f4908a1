"""The registry public.ecr.aws: it checks logins and limits pulls. The container engine has the images."""

import base64
import binascii
import json
import threading
import time
from collections.abc import Mapping

from local_aws.core.api import Response

# The gateway serves the registry under this path, beside the private registries.
PREFIX = "/v2/public.ecr.aws/"
# What `docker login` asks for. It asks AWS for /v2/, which stands for the private registries here.
LOGIN_CHECK = f"{PREFIX}tags/list"
# https://docs.aws.amazon.com/AmazonECR/latest/public/public-service-quotas.html
UNAUTHENTICATED_PULLS_PER_SECOND = 1.0


class PublicRegistry:
    """One registry for all accounts. All pulls without a login come from one address, as in CodeBuild."""

    def __init__(self, pulls_per_second: float = UNAUTHENTICATED_PULLS_PER_SECOND) -> None:
        self.seconds_between_pulls = 1 / pulls_per_second
        # When each password of GetAuthorizationToken expires.
        self.logins: dict[str, float] = {}
        self._next_pull = 0.0
        self._lock = threading.Lock()

    def answer(self, path: str, authorization: str) -> Response:
        """Answer a request for a manifest, which needs no login, or for `LOGIN_CHECK`."""
        if authorization:
            return _response(200, {}) if self._is_known(authorization) else _error(401, "UNAUTHORIZED")
        if path == LOGIN_CHECK:
            return _error(401, "UNAUTHORIZED")
        return _response(200, {}) if self._admits_pull() else _error(429, "TOOMANYREQUESTS")

    def _is_known(self, authorization: str) -> bool:
        try:
            login = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        user, _, password = login.partition(":")
        return user == "AWS" and self.logins.get(password, 0) > time.time()

    def _admits_pull(self) -> bool:
        with self._lock:
            if time.monotonic() < self._next_pull:
                return False
            self._next_pull = time.monotonic() + self.seconds_between_pulls
            return True


_MESSAGES = {"UNAUTHORIZED": "Not Authorized", "TOOMANYREQUESTS": "Rate exceeded"}


def _error(status: int, code: str) -> Response:
    return _response(status, {"errors": [{"code": code, "message": _MESSAGES[code]}]})


def _response(status: int, content: Mapping[str, object]) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
