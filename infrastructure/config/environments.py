"""The environments of cdk.json: every setting of dev, staging and prod, checked whichever is deployed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from infrastructure.config.context_key import CDK_JSON, ConfigError, Rule, read_values, text

ENVIRONMENTS = "environments"
# Whose settings a suffix of no name gets: a feature branch's, a test's.
FALLBACK = "dev"
EXAMPLE = '"environments": {"dev": {...}, "prod": {...}}'

# The longest suffix of names without a service in them (pitfall L); LONGEST is that of all others.
SHORT, LONGEST = 12, 22
SUFFIX_WORDS = (
    f"1 to {SHORT} lower-case letters, digits and single hyphens, "
    "beginning with a letter and ending with a letter or digit"
)
_SUFFIX = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
read_suffix = text(_SUFFIX, SHORT)
# A service of the catalogue may stand before it: orders-staging.
read_any_suffix = text(_SUFFIX, LONGEST)

Settings = dict[str, Any]


def read_environments(
    given: object, rules: Mapping[str, Rule], *, required: Collection[str]
) -> dict[str, Settings]:
    """Read every environment, not only the one to deploy: a slip in prod must not wait for its day.

    Raises ConfigError unless each is named as a suffix and has all `required` keys, and none but `rules`'.
    """
    if not isinstance(given, Mapping):
        raise ConfigError(ENVIRONMENTS, given, "an object of environments", EXAMPLE, place=CDK_JSON)
    if FALLBACK not in given:
        words = "there, since every suffix that is not named gets its settings"
        raise ConfigError(f"{ENVIRONMENTS}.{FALLBACK}", None, words, EXAMPLE, place=CDK_JSON)
    return {name: _settings(name, given[name], rules, required) for name in given}


def environment_of(suffix: str, environments: Mapping[str, Settings]) -> Settings:
    """Choose the settings of a suffix: its own environment's, else dev's."""
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
