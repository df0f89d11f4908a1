"""How a context key is described, read and refused: the pieces that Config is written in."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infrastructure.errors import AppError


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


def text(pattern: re.Pattern[str], longest: int) -> Callable[[object], str]:
    """Accept text that matches whole and has at most `longest` characters."""

    def read(value: object) -> str:
        if not isinstance(value, str) or len(value) > longest or not pattern.fullmatch(value):
            raise ValueError
        return value

    return read


def one_of(allowed: tuple[object, ...]) -> Callable[[object], object]:
    """Accept these values only."""

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
    """Describe a field of Config; without a `default`, the key must be given."""
    return field(metadata={"rule": Rule(rule, example, read)}, **default)


def camel(name: str) -> str:
    """Spell a field of Config as the key in cdk.json and after `-c`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def refuse_slips(known: Mapping[str, str], context: Mapping[str, object]) -> None:
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
