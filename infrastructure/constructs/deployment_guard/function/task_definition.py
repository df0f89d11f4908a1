"""Compare a registered task definition with the platform's, except for what a service decides.

`Limits` has the platform's own values: those of taskdef.json, as the stack of this environment fills it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Of the task and of the service's container: what a service decides, and what ECS adds.
FREE_OF_TASK = frozenset(
    {
        "compatibilities",
        "containerDefinitions",
        "cpu",
        "memory",
        "networkMode",
        "registeredAt",
        "registeredBy",
        "requiresAttributes",
        "requiresCompatibilities",
        "revision",
        "runtimePlatform",
        "status",
        "taskDefinitionArn",
    }
)
FREE_OF_CONTAINER = frozenset(
    {"cpu", "dockerLabels", "environment", "memory", "portMappings", "secrets", "stopTimeout"}
)
DIGEST = r"sha256:[0-9a-f]{64}"
# What may stand in place of the placeholders of a value. The path of an earlier version may be another.
_PLACEHOLDERS = {
    "${CONTAINER_NAME}": r"[\w-]+",
    "${DIGEST}": DIGEST,
    "${HEALTH_PATH}": r"/[\w./-]*",
}


class TaskDefinitionError(Exception):
    """The deployment must not go on; the message names the field."""


@dataclass(frozen=True)
class Limits:
    """The fields of the task and of the containers that are the platform's.

    `sidecar_images` begins the name of an image that a sidecar may have; `sidecar_fields` are the service's.
    """

    task: Mapping[str, Any]
    container: Mapping[str, Any]
    sidecar: Mapping[str, Any]
    sidecar_images: tuple[str, ...]
    sidecar_fields: frozenset[str]

    def check(self, task: Mapping[str, Any]) -> None:
        """Raise TaskDefinitionError for the first field that is not as the platform has it."""
        _check_fields("", task, self.task, FREE_OF_TASK)
        containers = task["containerDefinitions"]
        name = self.container["name"]
        if [each["name"] for each in containers].count(name) != 1:
            raise TaskDefinitionError(f"not exactly one container is named {name}")
        for each in containers:
            if each["name"] == name:
                _check_fields(f"{name}.", each, self.container, FREE_OF_CONTAINER)
                _check_port(each)
            else:
                self._check_sidecar(each)

    def _check_sidecar(self, container: Mapping[str, Any]) -> None:
        name, image = container["name"], container["image"]
        _check_fields(f"{name}.", container, self.sidecar, self.sidecar_fields)
        if not image.startswith(self.sidecar_images) or not re.fullmatch(rf"[^@]+@{DIGEST}", image):
            raise TaskDefinitionError(f"{name}.image is {image}, of no known publisher by its digest")


def _check_port(container: Mapping[str, Any]) -> None:
    """Refuse another PORT: another container could answer on the port of the service's."""
    told = [one["value"] for one in container.get("environment", []) if one["name"] == "PORT"]
    ports = [str(one["containerPort"]) for one in container.get("portMappings", [])]
    if told != ports:
        raise TaskDefinitionError(
            f"{container['name']}.environment has PORT {told}, and portMappings {ports}"
        )


def _check_fields(
    where: str, given: Mapping[str, Any], wanted: Mapping[str, Any], free: Iterable[str]
) -> None:
    for key in sorted({*given, *wanted} - {*free}):
        value, ours = _normal(given.get(key)), _normal(wanted.get(key))
        if not _matches(value, ours):
            raise TaskDefinitionError(f"{where}{key} is {value}, and the platform's is {ours}")


def _normal(value: Any) -> Any:
    """Return a value without its empty parts, which ECS adds: [] and false say the same as no field."""
    if isinstance(value, Mapping):
        parts = {key: _normal(one) for key, one in value.items()}
        return {key: one for key, one in parts.items() if one} or None
    if isinstance(value, list):
        return [_normal(one) for one in value] or None
    return value or None


def _matches(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(given, Mapping) and _all_match({**given}, {**wanted})
    if isinstance(wanted, list):
        return isinstance(given, list) and _all_match(dict(enumerate(given)), dict(enumerate(wanted)))
    if isinstance(wanted, str):
        pattern = re.escape(wanted)
        for placeholder, allowed in _PLACEHOLDERS.items():
            pattern = pattern.replace(re.escape(placeholder), allowed)
        return isinstance(given, str) and re.fullmatch(pattern, given) is not None
    return bool(given == wanted)


def _all_match(given: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> bool:
    return given.keys() == wanted.keys() and all(_matches(given[key], wanted[key]) for key in wanted)
