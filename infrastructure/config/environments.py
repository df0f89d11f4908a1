"""The environments of cdk.json; all are checked, whichever is deployed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from infrastructure.config.context_key import CDK_JSON, ConfigError, Rule, read_values, text

ENVIRONMENTS = "environments"
# Its settings apply to every suffix that cdk.json does not have, such as that of a feature branch.
FALLBACK = "dev"
EXAMPLE = '"environments": {"dev": {...}, "prod": {...}}'

# The longest suffix (pitfall L), without and with the name of a service before it.
SHORT, LONGEST = 12, 22
SUFFIX_WORDS = (
    f"1 to {SHORT} lower-case letters, digits and single hyphens, "
    "beginning with a letter and ending with a letter or digit"
)
# The grammar of suffixes and of service names, which suffixes may begin with: orders-staging.
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
read_suffix = text(NAME, SHORT)
read_any_suffix = text(NAME, LONGEST)

Settings = dict[str, Any]


def read_environments(
    given: object, rules: Mapping[str, Rule], *, required: Collection[str]
) -> dict[str, Settings]:
    """Read every environment, so that a mistake in prod is found before prod is deployed.

    Raises ConfigError unless each name is a suffix, and each environment has all `required` keys and only
    keys of `rules`.
    """
    if not isinstance(given, Mapping):
        raise ConfigError(ENVIRONMENTS, given, "an object of environments", EXAMPLE, place=CDK_JSON)
    if FALLBACK not in given:
        words = "present, because its settings apply to every suffix without settings of its own"
        raise ConfigError(f"{ENVIRONMENTS}.{FALLBACK}", None, words, EXAMPLE, place=CDK_JSON)
    return {name: _settings(name, given[name], rules, required) for name in given}


def environment_of(suffix: str, environments: Mapping[str, Settings]) -> Settings:
    """Return the settings of an environment, by default those of dev."""
    return environments.get(suffix, environments[FALLBACK])


def _settings(name: str, given: object, rules: Mapping[str, Rule], required: Collection[str]) -> Settings:
    path = f"{ENVIRONMENTS}.{name}"
    try:
        read_suffix(name)
    except ValueError:
        raise ConfigError(f"the name of {path}", name, SUFFIX_WORDS, EXAMPLE, place=CDK_JSON) from None
    if not isinstance(given, Mapping):
        words = f"an object with the keys {', '.join(required)}"
        raise ConfigError(path, given, words, f'"{name}": {{"desiredCount": 2, ...}}', place=CDK_JSON)
    for key in given:
        if key not in rules:
            words = f"one of {', '.join(rules)}"
            raise ConfigError(f"the key {path}.{key}", key, words, '"desiredCount": 2', place=CDK_JSON)
    return read_values(rules, given, required=required, path=f"{path}.", place=CDK_JSON)
