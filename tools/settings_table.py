"""The table of context keys in docs/configuration.md, from Config and cdk.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from infrastructure.config.context_key import camel
from infrastructure.config.environments import ENVIRONMENTS
from infrastructure.config.settings import Config


def lines(context: Mapping[str, Any]) -> Iterator[str]:
    """Yield a row for each context key: what its value must be, and the value in each environment."""
    configs = [Config.from_context({**context, "environmentSuffix": name}) for name in context[ENVIRONMENTS]]
    yield _row("key", "what it must be", *(config.environment_suffix for config in configs))
    yield _row(*["---"] * (2 + len(configs)))
    rules = Config.rules()
    for field in fields(Config):
        if (key := camel(field.name)) in rules:
            values = [getattr(config, field.name) for config in configs]
            yield _row(f"`{key}`", rules[key].words, *map(_cell, values))


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
