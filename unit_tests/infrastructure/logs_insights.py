"""Runs a query of Logs Insights, as far as the dashboard's queries go; anything else is an error.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

Row = dict[str, Any]

NAME = re.compile(r"`([^`]+)`|'[^']*'|(@?[a-z_]\w*(?:\.\w+)+|@\w+)", re.IGNORECASE)
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "concat": lambda *parts: "".join(parts),
    "coalesce": lambda *values: next((each for each in values if each is not None), None),
    "strcontains": lambda text, part: int(part in text),
    "toMillis": lambda moment: moment,
}
AGGREGATES: dict[str, Callable[..., Any]] = {
    "sum": sum,
    "min": min,
    "max": max,
    "pct": lambda values, percent: sorted(values)[(len(values) - 1) * int(percent) // 100],
}


def run_query(query: str, events: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows of a query over events of EventBridge in a log group."""
    rows = [_flat(event) for event in events]
    commands = [each.strip().partition(" ") for each in query.split("|")]
    if sum(command == "stats" for command, _, _ in commands) > 2:
        raise ValueError("Logs Insights allows two stats commands")
    for command, _, text in commands:
        rows = {"filter": _filter, "fields": _fields, "stats": _stats}[command](rows, text)
    return rows


def _flat(event: Mapping[str, Any]) -> Row:
    """Return the fields that Logs Insights discovers in an event."""

    def pairs(value: Any, path: str) -> Iterable[tuple[str, Any]]:
        if not isinstance(value, Mapping):
            return [(path, value)]
        return [pair for name in value for pair in pairs(value[name], f"{path}.{name}".lstrip("."))]

    at = datetime.fromisoformat(event["time"]).timestamp() * 1000
    return {**dict(pairs(event, "")), "@timestamp": at}


def _filter(rows: list[Row], text: str) -> list[Row]:
    return [row for row in rows if _value(text, row)]


def _fields(rows: list[Row], text: str) -> list[Row]:
    named = [_alias(part) for part in _parts(text)]
    return [{**row, **{name: _value(expression, row) for expression, name in named}} for row in rows]


def _stats(rows: list[Row], text: str) -> list[Row]:
    aggregates, _, by = text.partition(" by ")
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(_value(by, row) if by else None, []).append(row)
    named = [_alias(part) for part in _parts(aggregates)]
    return [{name: _aggregate(expression, group) for expression, name in named} for group in groups.values()]


def _aggregate(expression: str, rows: Sequence[Row]) -> Any:
    function, _, inner = expression.removesuffix(")").partition("(")
    value, *more = _parts(inner)
    return AGGREGATES[function]([_value(value, row) for row in rows], *more)


def _alias(part: str) -> tuple[str, str]:
    expression, _, name = part.rpartition(" as ")
    return expression, name


def _parts(text: str) -> list[str]:
    """Split at the commas that are outside of brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _value(expression: str, row: Row) -> Any:
    """Return the value of an expression, which is Python's but for the names of fields, and `=`."""

    def field(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return f"row[{name!r}]" if name else found[0]

    text = re.sub(r"(?<![<>!=])=(?!=)", "==", NAME.sub(field, expression))
    names = {name: row.get(name) for name in re.findall(r"\b[a-z_]+\b", text)}
    code = compile(ast.parse(text, mode="eval"), "query", "eval")
    missing = dict.fromkeys(re.findall(r"row\['([^']+)'\]", text))
    return eval(code, {**names, **FUNCTIONS, "row": {**missing, **row}})  # noqa: S307 - our own queries
