"""Lets KMS use the keys of other accounts, and saves keys that sign as data."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from local_aws.ministack.account_scope import account_of, scope
from local_aws.ministack.compat import require

kms = require("services.kms", "_keys", "_restore_state", "get_state", "handle_request")
responses = require("core.responses", "AccountRegionScopedDict", "error_response_json")

# https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
LONGEST_MESSAGE = 4096
_LIMITED = ("Sign", "Verify")


def patch_keys_of_other_accounts() -> None:
    """Send a call to the account of its key, if it names the key or its alias by an ARN.

    Our own authorization has decided before. https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    """
    original = kms.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        params = _params(body)
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation in _LIMITED and _length(params.get("Message")) > LONGEST_MESSAGE:
            return responses.error_response_json(
                "ValidationException",
                "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must "
                f"have length less than or equal to {LONGEST_MESSAGE}",
                400,
            )
        with scope(account_of(str(params.get("KeyId", "")))):
            return await original(method, path, headers, body, query_params)

    kms.handle_request = handle_request


def _params(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        # MiniStack returns the error.
        return {}
    return found if isinstance(found, dict) else {}


def _length(message: object) -> int:
    try:
        return len(base64.b64decode(str(message or "")))
    except ValueError:
        return 0


def saved_keys() -> dict[Any, Any]:
    """Return the keys as data: a private key as an object cannot be saved."""
    saved: dict[Any, Any] = kms.get_state()["keys"]._data
    return saved


def restore_keys(saved: Mapping[Any, Any]) -> None:
    """Replace the keys by saved ones."""
    keys = responses.AccountRegionScopedDict()
    keys._data.update(saved)
    kms._keys.clear()
    kms._restore_state({"keys": keys})
