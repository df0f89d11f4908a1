"""Write the README's table of context keys from Config: `python -m tools.settings_table`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from infrastructure.config.context_key import camel
from infrastructure.config.environments import ENVIRONMENTS
from infrastructure.config.settings import Config
from infrastructure.errors import AppError

PROJECT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- settings: written by python -m tools.settings_table -->\n"
END = "<!-- settings: end -->\n"


def lines(context: Mapping[str, Any]) -> Iterator[str]:
    """Write a row for each context key: what it must be, and what it is in each environment."""
    configs = [Config.from_context({**context, "environmentSuffix": name}) for name in context[ENVIRONMENTS]]
    yield _row("key", "what it must be", *(config.environment_suffix for config in configs))
    yield _row(*["---"] * (2 + len(configs)))
    rules = Config.rules()
    for entry in fields(Config):
        key = camel(entry.name)
        if key not in rules:
            continue
        values = [getattr(config, entry.name) for config in configs]
        yield _row(f"`{key}`", rules[key].words, *map(_cell, values))


def written(readme: str, context: Mapping[str, Any]) -> str:
    """Return the README with the table between its marks. Raises AppError when it has no marks."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise AppError(f"README.md has no lines {BEGIN.strip()} and {END.strip()}")
    return before + begin + "".join(f"{line}\n" for line in lines(context)) + end + after


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Write the table into README.md."""
    readme = PROJECT / "README.md"
    context = json.loads((PROJECT / "cdk.json").read_text("utf-8"))["context"]
    try:
        readme.write_text(written(readme.read_text("utf-8"), context), "utf-8")
    except AppError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
