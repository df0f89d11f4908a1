"""Which tests `--live` runs: the first scenario unless others are asked for, and none of local_aws only."""

from collections.abc import Sequence
from pathlib import Path

import pytest

FIRST_SCENARIO = "test_first_scenario.py"
# Their small stacks are wrong on purpose, and would cost a person hours to clean up.
LOCAL = ("attacks", "pitfalls")
# An estimate: none of this has run on AWS.
ANNOUNCEMENT = (
    "--live runs the first scenario: one environment, one to two hours, less than 1 USD. "
    "--all-scenarios, a file, -k or -m runs others."
)


def select(config: pytest.Config, items: Sequence[pytest.Item]) -> tuple[list[pytest.Item], list[str]]:
    """Return the tests to run on AWS, and a line for each reason to leave others out."""
    reasons: dict[str, int] = {}
    kept = []
    by_default = not is_narrowed(config)
    for item in items:
        reason = _reason(item, by_default=by_default)
        if reason is None:
            kept.append(item)
        else:
            reasons[reason] = reasons.get(reason, 0) + 1
    lines = [ANNOUNCEMENT] if by_default else []
    return kept, [*lines, *(f"{count} tests left out: {reason}" for reason, count in reasons.items())]


def is_narrowed(config: pytest.Config) -> bool:
    """Return whether the command line says which tests it wants."""
    files = [argument for argument in config.args if not Path(argument.partition("::")[0]).is_dir()]
    chosen = config.getoption("--all-scenarios") or config.option.keyword or config.option.markexpr
    return bool(files or chosen)


def _reason(item: pytest.Item, *, by_default: bool) -> str | None:
    marker = item.get_closest_marker("local_only")
    if marker is not None:
        return str(marker.args[0])
    folder = item.path.parent.name
    if folder in LOCAL:
        return f"tests of {folder} run on local_aws only"
    if by_default and item.path.name != FIRST_SCENARIO:
        return "not in the first scenario"
    return None
