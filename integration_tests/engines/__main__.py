"""`python -m integration_tests.engines [--short] [OPTIONS OF PYTEST]`: play on this machine's engines."""

import sys

import pytest

from harness.cloud import PROJECT
from integration_tests.engines.machine import ENGINES, missing

FILE = PROJECT / "integration_tests/engines/test_engines.py"
# On one engine: the whole life of an environment, and each way in which a task ends.
SHORT = ("test_the_first_scenario_passes_unchanged", "test_tasks_end_as_on_ecs")


def main(arguments: list[str]) -> int:
    """Run the tests of this folder; return 0 if there is no engine to play on."""
    found = [engine for engine in ENGINES if _is_here(engine)]
    if not found:
        return 0
    return int(pytest.main(_short(found[0], arguments) or [str(FILE.parent), *arguments]))


def _is_here(engine: str) -> bool:
    if reason := missing(engine):
        print(f"engines: {engine} is not played: {reason}", flush=True)
    return not reason


def _short(engine: str, arguments: list[str]) -> list[str]:
    """Return what pytest gets with `--short`; nothing without."""
    others = [argument for argument in arguments if argument != "--short"]
    return [] if others == arguments else [*(f"{FILE}::{name}[{engine}]" for name in SHORT), *others]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
