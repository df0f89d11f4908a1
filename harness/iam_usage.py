"""Runs a release on local_aws, then prints what every permission was used for."""

import sys
from contextlib import ExitStack

import requests
from rich.console import Console

from harness.cloud import Cloud
from harness.folders import remove_finished_runs, run_folder
from harness.local import is_running_in, local_aws, local_cloud
from harness.permissions import StatementUse, count_needed, statements, table, unexplained
from harness.progress import Progress
from harness.progress_lines import progress_lines, working
from harness.scenario import Scenario, ScenarioError
from harness.signals import defer_signals, termination_as_keyboard_interrupt
from harness.suffixes import random_suffix
from operations.errors import OperationsError


def iam_usage() -> int:
    """Print the use of every permission; return 1 if one is neither used nor on the allowlist."""
    remove_finished_runs("iam", is_running_in)
    folder = run_folder("iam")
    try:
        with termination_as_keyboard_interrupt(), ExitStack() as stack:
            with working("starting local_aws"):
                server = stack.enter_context(local_aws(folder))
            cloud = local_cloud(server, folder)
            with progress_lines(cloud.time_scale) as progress:
                found = run_scenario(cloud, progress)
    except (ScenarioError, OperationsError):
        print(f"iam-usage: the files of this run are in {folder}", file=sys.stderr)
        raise
    Console(width=200).print(table(found))
    needed, total = count_needed(found)
    print(f"{needed} of {total} statements are needed: a call is denied without them")
    violations = list(unexplained(found))
    for line in violations:
        print(f"iam-usage: {line}", file=sys.stderr)
    return 1 if violations else 0


def run_scenario(cloud: Cloud, progress: Progress) -> list[StatementUse]:
    """Run a scenario that uses every permission; return the statements with their use."""
    scenario = Scenario(cloud, random_suffix("iam"), progress)
    try:
        scenario.deploy()
        scenario.wait_for_seed()
        developer = scenario.developer()
        scenario.push(developer, developer.greet("Hello from a permitted commit"))
    finally:
        with defer_signals("destroying, please wait"):
            scenario.destroy()
    return statements(iam_report(cloud), [scenario.environment.suffix])


def iam_report(cloud: Cloud) -> dict[str, object]:
    """Return local_aws's report of what every permission was used for so far."""
    headers = {"Authorization": f"Bearer {cloud.keys['AWS_SECRET_ACCESS_KEY']}"}
    answer = requests.get(f"{cloud.endpoint}/_local_aws/iam", headers=headers, timeout=30)
    answer.raise_for_status()
    found: dict[str, object] = answer.json()
    return found
