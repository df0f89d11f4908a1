"""`python -m integration_tests.engines [OPTIONS OF PYTEST]`: play on the engines that this machine has."""

import sys

import pytest

from harness.cloud import PROJECT
from integration_tests.engines.machine import ENGINES, missing


def main() -> int:
    """Run the tests of this folder; return 0 if there is no engine to play on."""
    reasons = {engine: missing(engine) for engine in ENGINES}
    for engine, reason in reasons.items():
        if reason:
            print(f"engines: {engine} is not played: {reason}", flush=True)
    if all(reasons.values()):
        return 0
    return int(pytest.main([str(PROJECT / "integration_tests" / "engines"), *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
