"""Find the settings of the environment that a deployment would drop (pitfall C11).

The stack's settings guard rejects such a deployment too; this finds it before the deployment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The custom resource of the root stack that has the settings.
SETTINGS_GUARD = "Custom::SettingsGuard"

Resources = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class DroppedSetting:
    """A setting that only the deployed environment has."""

    key: str
    value: str

    def __str__(self) -> str:
        return (
            f"{self.key} ({self.value}) would be dropped. Instead: add it to the environment in cdk.json, or "
            f"pass it again with -c; to drop it, pass -c dropSettings={self.key}"
        )


def dropped_settings(deployed: Resources, synthesized: Resources) -> list[DroppedSetting]:
    """Compare the resources of the deployed root template with those of the synthesized one."""
    before, after = deployed_settings(deployed), _properties(synthesized)
    kept = {*after.get("Settings", {}), *after.get("DropSettings", [])}
    return [DroppedSetting(key, value) for key, value in before.items() if key not in kept]


def deployed_settings(resources: Resources) -> Mapping[str, str]:
    """Return the optional settings of a root template."""
    found: Mapping[str, str] = _properties(resources).get("Settings", {})
    return found


def _properties(resources: Resources) -> Mapping[str, Any]:
    guards = [one["Properties"] for one in resources.values() if one["Type"] == SETTINGS_GUARD]
    return guards[0] if guards else {}
