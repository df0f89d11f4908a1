"""Every context key of the app: its default, its check and its error, before anything is synthesized."""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from infrastructure.errors import AppError

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


class ConfigError(AppError):
    """A context key's value cannot be used; the message is one line for the person who gave it."""

    def __init__(self, key: str, value: object, rule: str, example: str) -> None:
        given = "is missing" if value is None else f"is {json.dumps(value, default=str)}"
        super().__init__(f"{key} {given}: it must be {rule}; for example -c {example}")


@dataclass(frozen=True)
class Rule:
    """What a key's value must be, in words and in code.

    `read` returns the value that Config keeps and raises ValueError for one that does not fit.
    """

    words: str
    example: str
    read: Callable[[object], object]


def _text(pattern: re.Pattern[str], longest: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or len(value) > longest or not pattern.fullmatch(value):
            raise ValueError
        return value

    return read


def _one_of(allowed: tuple[object, ...]) -> Callable[[object], object]:
    def read(value: object) -> object:
        if value not in allowed:
            raise ValueError
        return value

    return read


def _number(smallest: int, largest: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        """A number from cdk.json, or the text of one from the command line."""
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", str(value), re.ASCII):
            raise ValueError
        number = int(str(value))
        if not smallest <= number <= largest:
            raise ValueError
        return number

    return read


def _cpu(value: object) -> object:
    return _one_of(tuple(FARGATE_MEMORY))(_number(0, max(FARGATE_MEMORY))(value))


def _test_cidr(value: object) -> str:
    network = ipaddress.IPv4Network(value) if isinstance(value, str) and "/" in value else None
    # The whole world must not meet a version before it is released (traps B8).
    if network is None or network.prefixlen < 8:
        raise ValueError
    return str(network)


def _key(rule: str, example: str, read: Callable[[object], object], **default: Any) -> Any:
    return field(metadata={"rule": Rule(rule, example, read)}, **default)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@dataclass(frozen=True, kw_only=True)
class Config:
    """One environment's settings. The field `environment_suffix` is the context key `environmentSuffix`."""

    environment_suffix: str = _key(
        "1 to 12 lower-case letters, digits and single hyphens, "
        "beginning with a letter and ending with a letter or digit",
        "dev",
        _text(_SUFFIX, 12),
    )
    account: str | None = _key(
        "the 12 digits of an AWS account id (leave it out to deploy to the account of the credentials)",
        "123456789012",
        _text(re.compile(r"[0-9]{12}"), 12),
        default=None,
    )
    notification_email: str | None = _key(
        "one e-mail address, which SNS will ask to confirm (leave it out to subscribe nobody)",
        "team@example.com",
        _text(_EMAIL, 254),
        default=None,
    )
    test_traffic_cidr: str | None = _key(
        "an IPv4 network of /8 or smaller without host bits, which may call the test listener "
        "(leave it out to admit nobody)",
        "203.0.113.0/24",
        _test_cidr,
        default=None,
    )
    deployment_config: str = _key(
        f"one of AWS's ECS deployment configurations: {', '.join(DEPLOYMENT_CONFIGS)}",
        DEPLOYMENT_CONFIGS[1],
        _one_of(DEPLOYMENT_CONFIGS),
        default=DEPLOYMENT_CONFIGS[1],
    )
    desired_count: int = _key("a number of tasks from 1 to 100", "2", _number(1, 100), default=2)
    task_cpu: int = _key(
        f"CPU units that Fargate offers: {', '.join(map(str, FARGATE_MEMORY))}", "256", _cpu, default=256
    )
    task_memory: int = _key("a number of MiB from 512 to 30720", "512", _number(512, 30720), default=512)
    termination_wait_minutes: int = _key(
        "a number of minutes from 1 to 2880 (two days)", "5", _number(1, 2880), default=5
    )
    nat_gateways: int = _key(
        "1 or 2: tasks in private subnets pull their images through one", "1", _number(1, 2), default=1
    )

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> Config:
        """Read the CDK context; a key that is absent gets its default.

        Raises ConfigError for the first value that does not fit, and for a key that looks like a slip.
        """
        _refuse_slips({key: rule.example for key, rule in cls.rules().items()}, context)
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
        return {_camel(entry.name): entry.metadata["rule"] for entry in fields(cls)}


def _names(config: type[Config]) -> list[str]:
    return [entry.name for entry in fields(config)]


def _refuse_slips(known: Mapping[str, str], context: Mapping[str, object]) -> None:
    """The context also holds the CDK's flags and the caller's own keys, so only near misses are refused."""
    for key in context:
        if key in known or re.search(r"[^A-Za-z_-]", key):
            continue
        near = difflib.get_close_matches(
            key.replace("-", "").lower(), map(str.lower, known), n=1, cutoff=0.85
        )
        if near:
            meant = next(name for name in known if name.lower() == near[0])
            raise ConfigError(key, context[key], f"spelled {meant}", f"{meant}={known[meant]}")


def _check_task_size(config: Config) -> None:
    allowed = FARGATE_MEMORY[config.task_cpu]
    if config.task_memory not in allowed:
        rule = f"MiB that Fargate offers with {config.task_cpu} CPU units: {', '.join(map(str, allowed))}"
        raise ConfigError("taskMemory", config.task_memory, rule, f"taskMemory={allowed[0]}")
