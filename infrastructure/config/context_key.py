"""How a context key is described, read and rejected."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from infrastructure.errors import AppError

# Where the example of a message belongs.
COMMAND_LINE = "-c"
CDK_JSON = "in cdk.json"


class ConfigError(AppError):
    """The value of a context key is not valid; the message is one line."""

    def __init__(
        self, key: str, value: object, rule: str, example: str, *, place: str = COMMAND_LINE
    ) -> None:
        given = "is missing" if value is None else f"is {json.dumps(value, default=str)}"
        super().__init__(f"{key} {given}: it must be {rule}; for example {place} {example}")


@dataclass(frozen=True)
class Rule:
    """What the value of a key must be, in words and in code.

    `read` returns the value for Config, or raises ValueError.
    """

    words: str
    example: str
    read: Callable[[object], object]


def text(pattern: re.Pattern[str], longest: int) -> Callable[[object], str]:
    """Accept text that fully matches and has at most `longest` characters."""

    def read(value: object) -> str:
        if not isinstance(value, str) or len(value) > longest or not pattern.fullmatch(value):
            raise ValueError
        return value

    return read


def one_of(allowed: tuple[object, ...]) -> Callable[[object], object]:
    """Accept one of these values."""

    def read(value: object) -> object:
        if value not in allowed:
            raise ValueError
        return value

    return read


def number(smallest: int, largest: int) -> Callable[[object], int]:
    """Accept a whole number from cdk.json, or the text of one from the command line."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", str(value), re.ASCII):
            raise ValueError
        given = int(str(value))
        if not smallest <= given <= largest:
            raise ValueError
        return given

    return read


def context_key(rule: str, example: str, read: Callable[[object], object], **default: Any) -> Any:
    """Describe a field of Config; without a `default`, the key is required."""
    return field(metadata={"rule": Rule(rule, example, read)}, **default)


def read_values(
    rules: Mapping[str, Rule],
    given: Mapping[str, object],
    *,
    required: Collection[str],
    path: str = "",
    place: str = COMMAND_LINE,
) -> dict[str, Any]:
    """Read the values of the keys in `rules`; null means absent.

    Raises ConfigError for the first value that is not valid, and for an absent key of `required`. The error
    prefixes the key with `path`.
    """
    values: dict[str, Any] = {}
    for key, rule in rules.items():
        value = given.get(key)
        if value is None and key not in required:
            continue
        try:
            values[key] = rule.read(value)
        except ValueError:
            example = example_of(key, rule.example, place)
            raise ConfigError(f"{path}{key}", value, rule.words, example, place=place) from None
    return values


def example_of(key: str, example: str, place: str) -> str:
    """Format a key and its value for `place`."""
    return f"{key}={example}" if place == COMMAND_LINE else f'"{key}": {json.dumps(example)}'


def camel(name: str) -> str:
    """Return the context key of a field of Config."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def reject_misspelled_keys(known: Mapping[str, str], context: Mapping[str, object]) -> None:
    """Raise ConfigError for a key that resembles one of ours; other keys belong to the CDK or the caller."""
    for key in context:
        if key in known or re.search(r"[^A-Za-z_-]", key):
            continue
        near = difflib.get_close_matches(
            key.replace("-", "").lower(), map(str.lower, known), n=1, cutoff=0.85
        )
        if near:
            meant = next(name for name in known if name.lower() == near[0])
            raise ConfigError(key, context[key], f"spelled {meant}", f"{meant}={known[meant]}")
