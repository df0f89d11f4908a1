"""What the catalogue's entry of a service changes in the settings of an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from infrastructure.config.account_options import Promotion
from infrastructure.config.catalogue import Service
from infrastructure.config.context_key import ConfigError
from infrastructure.config.environments import environment_of


def task_settings(service: Service) -> dict[str, int]:
    """Return the settings that the catalogue has for this service."""
    settings = {"taskCpu": service.cpu, "taskMemory": service.memory, "desiredCount": service.tasks}
    return {key: value for key, value in settings.items() if value is not None}


def sized_promotions(
    values: Mapping[str, Any], environments: Mapping[str, dict[str, Any]], service: Service
) -> tuple[Promotion, ...]:
    """Add the task size to each promotion. Raises ConfigError for one to the environment itself."""
    suffix, given = values["environmentSuffix"], values["promoteTo"]
    if suffix in [promotion.environment for promotion in given]:
        words = f"environments other than {suffix}, which the pipeline releases to first"
        raise ConfigError("promoteTo", ",".join(map(str, given)), words, "promoteTo=staging@222222222222")
    sizes = [environment_of(promotion.environment, environments) for promotion in given]
    return tuple(
        replace(
            promotion,
            environment=service.suffix(promotion.environment),
            task_cpu=service.cpu or size["taskCpu"],
            task_memory=service.memory or size["taskMemory"],
        )
        for promotion, size in zip(given, sizes, strict=True)
    )
