"""Every context key of the app: its default, its check and its error, before anything is synthesized."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from infrastructure.context_key import (
    ConfigError,
    Rule,
    camel,
    context_key,
    number,
    one_of,
    refuse_slips,
    text,
)

# https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html#deployment-configurations-predefined-ecs
DEPLOYMENT_CONFIGS = (
    "CodeDeployDefault.ECSAllAtOnce",
    "CodeDeployDefault.ECSCanary10Percent5Minutes",
    "CodeDeployDefault.ECSCanary10Percent15Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
)

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
}

_SUFFIX = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")


def _cpu(value: object) -> object:
    return one_of(tuple(FARGATE_MEMORY))(number(0, max(FARGATE_MEMORY))(value))


def _test_cidr(value: object) -> str:
    network = ipaddress.IPv4Network(value) if isinstance(value, str) and "/" in value else None
    # The whole world must not meet a version before it is released (traps B8).
    if network is None or network.prefixlen < 8:
        raise ValueError
    return str(network)


@dataclass(frozen=True, kw_only=True)
class Config:
    """One environment's settings. The field `environment_suffix` is the context key `environmentSuffix`."""

    environment_suffix: str = context_key(
        "1 to 12 lower-case letters, digits and single hyphens, "
        "beginning with a letter and ending with a letter or digit",
        "dev",
        text(_SUFFIX, 12),
    )
    account: str | None = context_key(
        "the 12 digits of an AWS account id (leave it out to deploy to the account of the credentials)",
        "123456789012",
        text(re.compile(r"[0-9]{12}"), 12),
        default=None,
    )
    notification_email: str | None = context_key(
        "one e-mail address, which SNS will ask to confirm (leave it out to subscribe nobody)",
        "team@example.com",
        text(_EMAIL, 254),
        default=None,
    )
    test_traffic_cidr: str | None = context_key(
        "an IPv4 network of /8 or smaller without host bits, which may call the test listener "
        "(leave it out to admit nobody)",
        "203.0.113.0/24",
        _test_cidr,
        default=None,
    )
    deployment_config: str = context_key(
        f"one of AWS's ECS deployment configurations: {', '.join(DEPLOYMENT_CONFIGS)}",
        DEPLOYMENT_CONFIGS[1],
        one_of(DEPLOYMENT_CONFIGS),
        default=DEPLOYMENT_CONFIGS[1],
    )
    desired_count: int = context_key("a number of tasks from 1 to 100", "2", number(1, 100), default=2)
    task_cpu: int = context_key(
        f"CPU units that Fargate offers: {', '.join(map(str, FARGATE_MEMORY))}", "256", _cpu, default=256
    )
    task_memory: int = context_key(
        "a number of MiB from 512 to 30720", "512", number(512, 30720), default=512
    )
    termination_wait_minutes: int = context_key(
        "a number of minutes from 1 to 2880 (two days)", "5", number(1, 2880), default=5
    )
    nat_gateways: int = context_key(
        "1 or 2: tasks in private subnets pull their images through one", "1", number(1, 2), default=1
    )

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> Config:
        """Read the CDK context; a key that is absent gets its default.

        Raises ConfigError for the first value that does not fit, and for a key that looks like a slip.
        """
        refuse_slips({key: rule.example for key, rule in cls.rules().items()}, context)
        values: dict[str, Any] = {}
        for name, (key, rule) in zip(_names(cls), cls.rules().items(), strict=True):
            value = context.get(key)
            if value is None and key != "environmentSuffix":
                continue
            try:
                values[name] = rule.read(value)
            except ValueError:
                raise ConfigError(key, value, rule.words, f"{key}={rule.example}") from None
        config = cls(**values)
        _check_task_size(config)
        return config

    @classmethod
    def rules(cls) -> dict[str, Rule]:
        """List what each key must be, by its name in cdk.json and after `-c`."""
        return {camel(entry.name): entry.metadata["rule"] for entry in fields(cls)}


def _names(config: type[Config]) -> list[str]:
    return [entry.name for entry in fields(config)]


def _check_task_size(config: Config) -> None:
    allowed = FARGATE_MEMORY[config.task_cpu]
    if config.task_memory not in allowed:
        rule = f"MiB that Fargate offers with {config.task_cpu} CPU units: {', '.join(map(str, allowed))}"
        raise ConfigError("taskMemory", config.task_memory, rule, f"taskMemory={allowed[0]}")
