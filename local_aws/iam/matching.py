"""Wildcards and policy variables in a policy's patterns.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Mapping
from functools import lru_cache

Value = str | tuple[str, ...]
Values = Mapping[str, Value]

# `${key}` or `${key, 'default'}`; `${*}`, `${?}` and `${$}` are the characters themselves.
_VARIABLE = re.compile(r"\$\{([^{}]+)\}")
_DEFAULT = re.compile(r"(?P<key>[^,]+?)\s*,\s*'(?P<text>[^']*)'")
_LITERAL = frozenset("*?$")


class UnknownVariableError(Exception):
    """A policy variable has no value in the request, so its pattern matches nothing."""


def matches(pattern: str, text: str, values: Values | None = None, *, ignore_case: bool = False) -> bool:
    """Return whether `text` matches `pattern`, whose `${key}` are replaced if `values` are given."""
    if values is None or "${" not in pattern:
        return _compiled(pattern, ignore_case).match(text) is not None
    try:
        parts = _expanded(pattern, values)
    except UnknownVariableError:
        return False
    regex = "".join(re.escape(part) if literal else _wildcards(part) for part, literal in parts)
    return re.fullmatch(regex, text, _flags(ignore_case)) is not None


def filled(text: str, values: Values) -> str:
    """Return `text` with its policy variables replaced. Raises `UnknownVariableError`."""
    return "".join(part for part, _ in _expanded(text, values))


def _expanded(pattern: str, values: Values) -> list[tuple[str, bool]]:
    parts: list[tuple[str, bool]] = []
    end = 0
    for found in _VARIABLE.finditer(pattern):
        parts += [(pattern[end : found.start()], False), (_value(found[1], values), True)]
        end = found.end()
    return [*parts, (pattern[end:], False)]


def _value(name: str, values: Values) -> str:
    if name in _LITERAL:
        return name
    default = _DEFAULT.fullmatch(name)
    key = default["key"] if default else name
    value = values.get(key.strip().lower())
    # A multivalued key cannot be a variable.
    if isinstance(value, str):
        return value
    if default is not None and value is None:
        return default["text"]
    raise UnknownVariableError(name)


@lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(_wildcards(pattern) + r"\Z", _flags(ignore_case))


def _wildcards(pattern: str) -> str:
    special = {"*": ".*", "?": "."}
    return "".join(special.get(character) or re.escape(character) for character in pattern)


def _flags(ignore_case: bool) -> re.RegexFlag:
    return re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG)
