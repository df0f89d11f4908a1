"""`python -m integration_tests.rehearsal [OPTIONS OF PYTEST]`: rehearse `--live` where this machine can."""

import sys

import pytest

from harness.cloud import PROJECT
from integration_tests.rehearsal.namespace import problem


def main() -> int:
    """Run the tests of this folder; return 2 if the machine allows no namespaces."""
    if found := problem():
        print(f"rehearsal: {found}", file=sys.stderr)
        return 2
    return int(pytest.main([str(PROJECT / "integration_tests" / "rehearsal"), *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
