"""The catalogue of services in cdk.json: each gets a pipeline of its own, from a folder of its own."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infrastructure.config.context_key import CDK_JSON, ConfigError, number, one_of, text
from infrastructure.config.environments import NAME, SUFFIX_WORDS, read_suffix
from infrastructure.config.scaling import WORDS as SCALING_WORDS
from infrastructure.config.scaling import Scaling, read_scaling
from infrastructure.naming import CONTAINER_PORT, HEALTH_PATH, SAMPLE_SERVICE

SERVICES = "services"
# Of the sample in this project, and of each service in its own folder.
SAMPLE_FOLDER, CODE_FOLDER = "sample_service", "service"
EXAMPLE = '"services": {"orders": {"folder": "services/orders"}}'
NAME_WORDS = "1 to 16 lower-case letters, digits and single hyphens, beginning with a letter"
read_name = text(NAME, 16)


@dataclass(frozen=True)
class TaskStatement:
    """Permissions of a service's tasks, added to the policy of the task role."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True)
class SmokePath:
    """A path that the test-traffic hook requests of a new version, and the status that it expects."""

    path: str
    status: int = 200


@dataclass(frozen=True)
class Service:
    """One service; by default, it has the task size and the number of tasks of its environment.

    Its repository is seeded from `folder`; that of the sample is the project itself.
    """

    name: str = SAMPLE_SERVICE
    folder: str = "."
    port: int = CONTAINER_PORT
    health_path: str = HEALTH_PATH
    cpu: int | None = None
    memory: int | None = None
    tasks: int | None = None
    # None means the number of tasks that is desired.
    scaling: Scaling | None = None
    environment: tuple[tuple[str, str], ...] = ()
    # Names of variables whose values are SecureString and String parameters of the environment.
    secrets: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    task_statements: tuple[TaskStatement, ...] = ()
    # Whether it runs in the network of the sample's environment of the same name, and creates none.
    shares_network: bool = False
    # None means the health path.
    smoke_paths: tuple[SmokePath, ...] | None = None

    @property
    def code_folder(self) -> str:
        """The folder of the repository with the code, its tests and its requirements."""
        return SAMPLE_FOLDER if self.is_sample else CODE_FOLDER

    @property
    def is_sample(self) -> bool:
        """Whether its names contain only the suffix of the environment."""
        return self.name == SAMPLE_SERVICE

    @property
    def stored_variables(self) -> tuple[str, ...]:
        """The variables whose values ECS reads from the Parameter Store when a task starts."""
        return (*self.secrets, *self.parameters)

    @property
    def tested_paths(self) -> tuple[SmokePath, ...]:
        """The paths that the test-traffic hook requests (pitfall N8)."""
        return self.smoke_paths or (SmokePath(self.health_path),)

    def suffix(self, environment: str) -> str:
        """Return the suffix of its names in an environment."""
        return environment if self.is_sample else f"{self.name}-{environment}"


SAMPLE = Service()


def read_services(given: object) -> dict[str, Service]:
    """Read the catalogue. Raises ConfigError for the first entry that is not valid."""
    if given is None:
        return {SAMPLE_SERVICE: SAMPLE}
    if isinstance(given, str):
        given = _parsed(given)
    if not isinstance(given, Mapping):
        raise ConfigError(SERVICES, given, "an object of services by their names", EXAMPLE, place=CDK_JSON)
    return {SAMPLE_SERVICE: SAMPLE, **{name: _service(name, entry) for name, entry in given.items()}}


def service_of(suffix: str, services: Mapping[str, Service]) -> tuple[Service, str]:
    """Return the service and the environment of a suffix: `orders-dev`, or `dev` for the sample.

    Raises ConfigError for an environment whose names would be too long (pitfall L).
    """
    named = [one for one in services.values() if not one.is_sample and suffix.startswith(f"{one.name}-")]
    service = max(named, key=lambda one: len(one.name), default=services[SAMPLE_SERVICE])
    environment = suffix if service.is_sample else suffix.removeprefix(f"{service.name}-")
    try:
        read_suffix(environment)
    except ValueError:
        known = ", ".join(f"{name}-" for name in services if name != SAMPLE_SERVICE)
        words = SUFFIX_WORDS + (f", or {known} before such ones" if known else "")
        raise ConfigError("environmentSuffix", suffix, words, "environmentSuffix=dev") from None
    return service, environment


def shadowed_environment(name: str, environments: Iterable[str]) -> str | None:
    """Return the environment of the sample that a service of this name would shadow, if any.

    With a service `dev`, the suffix `dev-2` would mean its environment `2`.
    """
    return next((one for one in environments if f"{one}-".startswith(f"{name}-")), None)


def reject_shadowing(services: Iterable[str], environments: Iterable[str], suffix: str) -> None:
    """Raise ConfigError for a service that shadows an environment of the sample, or is the suffix itself."""
    for name in services:
        if shadowed := shadowed_environment(name, environments):
            words = f"none that begins the environment {shadowed}"
            raise ConfigError(f"the name of {SERVICES}.{name}", name, words, EXAMPLE, place=CDK_JSON)
        # Else it would deploy the sample, as an environment of that name.
        if name == suffix:
            words = f"the name of an environment of the service {name}"
            raise ConfigError("environmentSuffix", suffix, words, f"environmentSuffix={name}-dev")


def _service(name: str, given: object) -> Service:
    path = f"{SERVICES}.{name}"
    _read(read_name, name, f"the name of {path}", NAME_WORDS)
    if not isinstance(given, Mapping):
        raise ConfigError(path, given, "an object", EXAMPLE, place=CDK_JSON)
    sample = name == SAMPLE_SERVICE
    allowed = [key for key in RULES if not (sample and key in _NOT_OF_THE_SAMPLE)]
    for key in given:
        if key not in allowed:
            words = f"one of {', '.join(allowed)}"
            raise ConfigError(f"the key {path}.{key}", key, words, EXAMPLE, place=CDK_JSON)
    values = {
        field: _read(rule, given[key], f"{path}.{key}", words)
        for key, (field, rule, words) in RULES.items()
        if key in given
    }
    folder = SAMPLE.folder if sample else f"services/{name}"
    service = Service(**{"name": name, "folder": folder, **values})
    _reject_repeated_variables(service, path)
    return service


def _reject_repeated_variables(service: Service, path: str) -> None:
    """Raise ConfigError for a variable that would have two values, which ECS refuses."""
    given = Counter([_PORT, *dict(service.environment), *service.stored_variables])
    if repeated := [name for name, count in given.items() if count > 1]:
        words = f"in one of environment, secrets and parameters, and not {_PORT}, which is `port`"
        raise ConfigError(f"{path}: the variable", repeated[0], words, EXAMPLE, place=CDK_JSON)


def _parsed(given: str) -> object:
    """Parse a catalogue from the command line."""
    try:
        return json.loads(given)
    except ValueError:
        raise ConfigError(SERVICES, given, "JSON", EXAMPLE) from None


def _read(rule: Callable[[object], Any], value: object, path: str, words: str) -> Any:
    try:
        return rule(value)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise ConfigError(path, value, words, EXAMPLE, place=CDK_JSON) from None


def _variables(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise ValueError
    if not all(_VARIABLE.fullmatch(str(key)) and isinstance(one, str) for key, one in value.items()):
        raise ValueError
    return tuple(sorted(value.items()))


def _variable_names(value: object) -> tuple[str, ...]:
    names = _strings(value)
    if not all(map(_VARIABLE.fullmatch, names)):
        raise ValueError
    return tuple(sorted(names))


def _statements(value: object) -> tuple[TaskStatement, ...]:
    if not isinstance(value, list):
        raise ValueError
    return tuple(TaskStatement(_strings(one["actions"]), _strings(one["resources"])) for one in value)


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise ValueError
    return tuple(value)


def _shared(value: object) -> bool:
    return one_of(("own", "shared"))(value) == "shared"


def _smoke_paths(value: object) -> tuple[SmokePath, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_SMOKE_PATHS:
        raise ValueError
    return tuple(_smoke_path(**one) for one in value)


def _smoke_path(*, path: object, status: object = 200) -> SmokePath:
    # Not the 5xx: the load balancer counts them for an alarm, whoever expects them (pitfall N4).
    return SmokePath(text(_URL_PATH, 200)(path), number(200, 499)(status))


# The test-traffic hook sends ten requests in an attempt.
MOST_SMOKE_PATHS = 10
# Its code is the project's own, and it has the network that others share.
_NOT_OF_THE_SAMPLE = ("folder", "network")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The variable that every container has.
_PORT = "PORT"
_URL_PATH = re.compile(r"/[A-Za-z0-9/_.~%?&=+,:@-]*")
_FOLDER = re.compile(r"\.?[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
# Key in cdk.json -> the field of Service, its reader, and what the value must be.
RULES: dict[str, tuple[str, Callable[[object], Any], str]] = {
    "folder": ("folder", text(_FOLDER, 100), "a folder of this project"),
    "port": ("port", number(1024, 65535), "a port from 1024 to 65535"),
    "healthPath": ("health_path", text(re.compile(r"/[A-Za-z0-9/_.-]*"), 100), "a path that answers 200"),
    "cpu": ("cpu", number(256, 4096), "CPU units as taskCpu"),
    "memory": ("memory", number(512, 30720), "MiB as taskMemory"),
    "tasks": ("tasks", number(1, 100), "a number of tasks from 1 to 100"),
    "scaling": ("scaling", read_scaling, SCALING_WORDS),
    "environment": ("environment", _variables, "an object of variables, each a text"),
    "secrets": ("secrets", _variable_names, 'a list of names of variables, as ["DATABASE_URL"]'),
    "parameters": ("parameters", _variable_names, 'a list of names of variables, as ["LOG_LEVEL"]'),
    "taskStatements": (
        "task_statements",
        _statements,
        'a list of {"actions": [...], "resources": [...]}, which its tasks may do',
    ),
    "smokePaths": (
        "smoke_paths",
        _smoke_paths,
        f'a list of 1 to {MOST_SMOKE_PATHS} {{"path": ..., "status": ...}}, with a status from 200 to 499',
    ),
    "network": ("shares_network", _shared, "own, or shared: that of the sample's same environment"),
}
