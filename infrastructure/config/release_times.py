"""The context keys that say when the pipeline releases: a deployment window, and a freeze."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from infrastructure.config.context_key import context_key, text

# Seconds, minutes, hours, day of the month, month, day of the week, and perhaps the year. CodePipeline also
# takes L, W and #, which local_aws does not evaluate.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html
_CRON = re.compile(r"\*( [A-Z0-9*?,/-]+){5,6}", re.ASCII)
_ZONE = re.compile(r"UTC|[A-Za-z]+(/[A-Za-z0-9_+-]+){1,2}", re.ASCII)
# Of a transition: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DisableStageTransition.html
_REASON = re.compile(r"[a-zA-Z0-9!@ ().*?\-]+", re.ASCII)


@dataclass(frozen=True)
class DeploymentWindow:
    """When the stage Deploy may be entered: a cron expression of CodePipeline, in a time zone."""

    cron: str
    time_zone: str

    def __str__(self) -> str:
        return f"{self.cron} {self.time_zone}"


def window_key() -> Any:
    """Return the field of the deployment window."""
    return context_key(
        "a cron expression of CodePipeline and a time zone, in one text: * for the seconds, minutes, hours, "
        "day of the month, month, day of the week, zone; a release waits for that (leave it out "
        "for any time)",
        "* * 9-16 ? * MON-FRI Europe/Vienna",
        _read_window,
        default=None,
    )


def freeze_key() -> Any:
    """Return the field of the freeze."""
    return context_key(
        "why nothing is released now, in up to 300 letters, digits, blanks and !@().*?- (leave it out for no "
        "freeze)",
        "until 7 January (TICKET-1)",
        text(_REASON, 300),
        default=None,
    )


def _read_window(value: object) -> DeploymentWindow:
    if not isinstance(value, str):
        raise ValueError
    cron, _, zone = value.rpartition(" ")
    if not _CRON.fullmatch(cron) or not _ZONE.fullmatch(zone):
        raise ValueError
    return DeploymentWindow(cron, zone)
