"""The deployment guard: which settings of a deployment are weaker than those of its deployment group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from infrastructure.constructs.deployment_guard.function.shift import ShiftError, check
from unit_tests.infrastructure.constructs.deployment_guard.guard_fakes import GROUP

ALARMS, ROLLBACK = GROUP["alarmConfiguration"], GROUP["autoRollbackConfiguration"]
ONE = {"enabled": True, "alarms": ALARMS["alarms"][:1]}


@pytest.mark.parametrize(
    "deployment",
    [
        {},
        # GetDeployment returns these for each deployment.
        {"deploymentConfigName": GROUP["deploymentConfigName"], "autoRollbackConfiguration": ROLLBACK},
        {"overrideAlarmConfiguration": {}, "autoRollbackConfiguration": {}},
        {"overrideAlarmConfiguration": {"enabled": True, "alarms": [*ALARMS["alarms"], {"name": "another"}]}},
    ],
    ids=str,
)
def test_the_settings_of_the_group_or_stricter_ones_go_on(deployment: Mapping[str, Any]) -> None:
    check(deployment, GROUP)


@pytest.mark.parametrize(
    ("deployment", "said"),
    [
        ({"deploymentConfigName": "CodeDeployDefault.ECSAllAtOnce"}, "shifts traffic by CodeDeployDefault.E"),
        ({"overrideAlarmConfiguration": {"enabled": False}}, "overrides the alarms"),
        ({"overrideAlarmConfiguration": {**ALARMS, "enabled": False}}, "overrides the alarms"),
        ({"overrideAlarmConfiguration": ONE}, "overrides the alarms"),
        ({"overrideAlarmConfiguration": {**ALARMS, "ignorePollAlarmFailure": True}}, "overrides the alarms"),
        ({"autoRollbackConfiguration": {"enabled": False}}, "overrides the rollback"),
        (
            {"autoRollbackConfiguration": {**ROLLBACK, "events": ROLLBACK["events"][:1]}},
            "overrides the rollback",
        ),
    ],
    ids=str,
)
def test_another_configuration_or_weaker_settings_are_refused(
    deployment: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(ShiftError, match=said):
        check(deployment, GROUP)
