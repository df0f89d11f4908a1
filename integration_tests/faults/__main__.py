"""`python -m integration_tests.faults`: print the table of all faults, each from its last run."""

import sys

from harness.report.recorder import FOLDER
from integration_tests.faults.record import read, table


def main() -> int:
    """Print the table; return 2 if no fault has been recorded."""
    found = read(FOLDER)
    if not found:
        print(f"faults: {FOLDER} has no faults.json: run `make faults` first", file=sys.stderr)
        return 2
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
