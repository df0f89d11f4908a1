"""`python -m integration_tests.faults`: the table of all faults, each as it was played last."""

from harness.report.recorder import FOLDER
from integration_tests.faults.record import read, table


def main() -> int:
    """Print the table; exit code 2 while no fault was played."""
    found = read(FOLDER)
    if not found:
        print(f"no fault was played yet, {FOLDER} has no faults.json: run `make faults`")
        return 2
    print(table(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
