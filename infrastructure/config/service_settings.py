"""What the catalogue's entry of a service changes in the settings of an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from infrastructure.config.account_options import PeerEnvironment, Promotion
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
    given: tuple[Promotion, ...] = values["promoteTo"]
    _reject_itself("promoteTo", values, ", which the pipeline releases to first", "staging@222222222222")
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


def named_sources(values: Mapping[str, Any], service: Service) -> tuple[PeerEnvironment, ...]:
    """Name the service's own environments that promote here; raise ConfigError for the environment itself."""
    _reject_itself("promotedFrom", values, ", whose own pipeline needs no promotion", "qa@111111111111")
    given: tuple[PeerEnvironment, ...] = values["promotedFrom"]
    return tuple(replace(source, environment=service.suffix(source.environment)) for source in given)


def _reject_itself(key: str, values: Mapping[str, Any], reason: str, example: str) -> None:
    suffix, given = values["environmentSuffix"], values[key]
    if suffix in [each.environment for each in given]:
        words = f"environments other than {suffix}{reason}"
        raise ConfigError(key, ",".join(map(str, given)), words, f"{key}={example}")
