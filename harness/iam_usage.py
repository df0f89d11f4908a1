"""`python -m harness.iam_usage`: tell the scenario, then print what every permission was used for."""

import sys

import requests
from rich.console import Console

from harness.cloud import Cloud
from harness.folders import clear, run_folder
from harness.interrupts import defer_signals, sigterm_as_ctrl_c
from harness.local import cloud_of, local_aws, runs_in
from harness.permissions import Statement, mutations, statements, table, unexplained
from harness.progress import Progress
from harness.scenario import Scenario, ScenarioError
from harness.suffixes import random_suffix
from operations.errors import OperationsError


def main() -> int:
    """Return 0 if every permission was used or is explained, 1 if not, 2 for what a person can set right."""
    clear("iam", runs_in)
    folder = run_folder("iam")
    try:
        with sigterm_as_ctrl_c(), local_aws(folder) as running:
            found = told(cloud_of(running, folder))
    except ScenarioError as error:
        print(f"iam: FAILED: {error}\niam: what was written is in {folder}", file=sys.stderr)
        return 1
    except OperationsError as error:
        print(f"iam: {error}\niam: what was written is in {folder}", file=sys.stderr)
        return 2
    Console(width=200).print(table(found))
    killed, total = mutations(found)
    print(
        f"{killed} of {total} statements are missed when they are taken away; the others are explained above"
    )
    left = list(unexplained(found))
    for line in left:
        print(f"iam: {line}", file=sys.stderr)
    return 1 if left else 0


def told(cloud: Cloud) -> list[Statement]:
    """Tell a scenario that asks for every permission; return the statements with their use."""
    progress = Progress(print, cloud.time_scale)
    scenario = Scenario(cloud, random_suffix("iam"), progress)
    try:
        scenario.deploy()
        scenario.seed()
        developer = scenario.developer()
        scenario.push(developer, developer.greet("Hello from a permitted commit"))
    finally:
        with defer_signals("destroying, please wait"):
            scenario.destroy()
    return statements(report_of(cloud), [scenario.environment.suffix])


def report_of(cloud: Cloud) -> dict[str, object]:
    """Ask local_aws what every permission was used for so far."""
    answer = requests.get(f"{cloud.endpoint}/_local_aws/iam", timeout=30)
    answer.raise_for_status()
    found: dict[str, object] = answer.json()
    return found


if __name__ == "__main__":
    sys.exit(main())
