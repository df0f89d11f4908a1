"""The combinations of CPU and memory that Fargate offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infrastructure.config.context_key import COMMAND_LINE, ConfigError, example_of, number, one_of

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
}


def read_cpu(value: object) -> object:
    """Accept CPU units that Fargate offers."""
    return one_of(tuple(FARGATE_MEMORY))(number(0, max(FARGATE_MEMORY))(value))


def check_task_size(values: Mapping[str, Any], *, path: str = "", place: str = COMMAND_LINE) -> None:
    """Raise ConfigError unless Fargate offers the values of `taskMemory` and `taskCpu` together."""
    cpu, memory = values["taskCpu"], values["taskMemory"]
    allowed = FARGATE_MEMORY[cpu]
    if memory not in allowed:
        rule = f"MiB that Fargate offers with {cpu} CPU units: {', '.join(map(str, allowed))}"
        example = example_of("taskMemory", str(allowed[0]), place)
        raise ConfigError(f"{path}taskMemory", memory, rule, example, place=place)
