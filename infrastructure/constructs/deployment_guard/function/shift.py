"""Read how a deployment shifts traffic: as its deployment group says, with its alarms and its rollback.

Whoever may create a deployment may give it another configuration, other alarms and no rollback:
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeployment.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ShiftError(Exception):
    """The deployment must not go on; the message says which setting of its group it overrides."""


def check(deployment: Mapping[str, Any], group: Mapping[str, Any]) -> None:
    """Compare what GetDeployment and GetDeploymentGroup return. Raises ShiftError for a weaker setting.

    A member that a deployment does not have is its group's.
    """
    config = deployment.get("deploymentConfigName")
    if config not in (None, group["deploymentConfigName"]):
        raise ShiftError(f"it shifts traffic by {config} in place of {group['deploymentConfigName']}")
    alarms = deployment.get("overrideAlarmConfiguration") or group["alarmConfiguration"]
    if alarms.get("ignorePollAlarmFailure") or not _alarms(alarms) >= _alarms(group["alarmConfiguration"]):
        raise ShiftError("it overrides the alarms of its group")
    rollback = deployment.get("autoRollbackConfiguration") or group["autoRollbackConfiguration"]
    if not _events(rollback) >= _events(group["autoRollbackConfiguration"]):
        raise ShiftError("it overrides the rollback of its group")


def _alarms(setting: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(each["name"] for each in setting.get("alarms", ()) if setting.get("enabled"))


def _events(setting: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(each for each in setting.get("events", ()) if setting.get("enabled"))
