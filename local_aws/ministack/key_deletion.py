"""Deletes KMS keys at the end of their waiting period, which MiniStack never does.

https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
"""

from collections.abc import Mapping
from typing import Any

from local_aws.core.clock import Clock
from local_aws.ministack.compat import require

kms = require("services.kms", "_aliases", "_keys", "_resolve_key", "_schedule_key_deletion")

DAY = 24 * 3600
# The default of ScheduleKeyDeletion: https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
DEFAULT_DAYS = 30
DUE = "_due"


def patch_key_deletion(clock: Clock) -> None:
    """Let a key whose deletion was scheduled be gone after its waiting period, in AWS's time."""
    schedule, resolve = kms._schedule_key_deletion, kms._resolve_key

    def scheduled(data: Mapping[str, Any]) -> Any:
        response = schedule(data)
        key = resolve(data.get("KeyId", ""))
        if response[0] == 200 and key:
            key[DUE] = clock.time() + clock.seconds(data.get("PendingWindowInDays", DEFAULT_DAYS) * DAY)
        return response

    def resolved(key_id: str) -> Any:
        key = resolve(key_id)
        if key and key["KeyState"] == "PendingDeletion" and clock.time() >= key.get(DUE, float("inf")):
            _delete(key["KeyId"])
            return None
        return key

    kms._schedule_key_deletion, kms._resolve_key = scheduled, resolved


def _delete(key_id: str) -> None:
    """Delete a key and its aliases."""
    kms._keys.pop(key_id, None)
    for alias in [name for name, target in kms._aliases.items() if target == key_id]:
        kms._aliases.pop(alias, None)
