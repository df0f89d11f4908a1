"""`make soak`, second part: many environments side by side on one local_aws, and many executions at once."""

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.environments import each, new_scenario, timed
from benchmarks.figures import Figure, publish
from benchmarks.resources import sample
from harness.folders import remove_finished_runs, run_folder
from harness.local import is_running_in, local_aws, local_cloud
from harness.report.recorder import FOLDER, STAMP
from harness.scenario import Scenario
from harness.signals import defer_signals, termination_as_keyboard_interrupt
from operations.command_line import EXIT_CODES, Parser, sentence

ENVIRONMENTS = (1, 10, 30)
EXECUTIONS = 20
CALLS = 50


def add_scale(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the command."""
    summary = "measure local_aws with many environments, and with their pipelines at once"
    description = f"{sentence(summary)} It destroys all of them at its end."
    command = commands.add_parser("scale", help=summary, description=description, epilog=EXIT_CODES)
    command.add_argument(
        "--environments",
        type=int,
        nargs="+",
        default=ENVIRONMENTS,
        metavar="N",
        help="how many, in steps (default: 1 10 30)",
    )
    command.add_argument(
        "--executions", type=int, default=EXECUTIONS, metavar="N", help="at once (default: %(default)s)"
    )
    command.set_defaults(run=scale)


def scale(options: argparse.Namespace) -> int:
    """Measure each step, and destroy everything."""
    remove_finished_runs("scale", is_running_in)
    folder = run_folder("scale")
    scenarios: list[Scenario] = []
    figures: list[Figure] = []
    with termination_as_keyboard_interrupt(), local_aws(folder) as server:
        try:
            for number in sorted(options.environments):
                print(f"{number} environments", flush=True)
                new = [new_scenario(local_cloud(server, folder)) for _ in range(number - len(scenarios))]
                # Before they are deployed: whatever happens, they are destroyed.
                scenarios += new
                figures += _step(new, scenarios, options.executions)
                figures += _used(server.pid, server.state, number)
        finally:
            with defer_signals("destroying, please wait"):
                seconds = timed(lambda: each(scenarios, Scenario.destroy, 1))
        figures.append(Figure("destroy of an environment", seconds / max(len(scenarios), 1), "s"))
    publish(figures, FOLDER / f"{time.strftime(STAMP)}-scale" / "scale.json")
    return 0


def _step(new: list[Scenario], scenarios: list[Scenario], executions: int) -> Iterator[Figure]:
    """Deploy the new environments, then release in several at once, and call the API."""
    # One after another: two bootstraps, or two of the CDK CLI with one cdk.out, are in each other's way.
    seconds = timed(lambda: each(new, _deploy, 1))
    started = scenarios[:executions]
    at_once = timed(lambda: each(started, _release_again, len(started)))
    called = list(_calls(scenarios[-1]))
    label = f"with {len(scenarios)} environments"
    yield Figure(f"{label}: deploy and first release of one", seconds / len(new), "s")
    yield Figure(f"{label}: {len(started)} executions at once, each", at_once / len(started), "s")
    yield Figure(f"{label}: an API call, median", 1000 * statistics.median(called), "ms")
    yield Figure(f"{label}: an API call, p95", 1000 * statistics.quantiles(called, n=20)[-1], "ms")


def _used(pid: int, state: Path, number: int) -> Iterator[Figure]:
    used, label = sample(pid, state, time.monotonic()), f"with {number} environments"
    yield Figure(f"{label}: memory", used.memory, "MiB")
    yield Figure(f"{label}: threads", used.threads, "threads")
    yield Figure(f"{label}: files and sockets", used.files + used.sockets, "descriptors")
    yield Figure(f"{label}: state on disk", used.state, "MiB")


def _deploy(scenario: Scenario) -> None:
    scenario.deploy()
    scenario.wait_for_seed()
    print(f"{scenario.environment.suffix} is deployed and released", flush=True)


def _release_again(scenario: Scenario) -> None:
    """Release one more commit."""
    developer = scenario.developer()
    scenario.push(developer, developer.greet("Hello at once"))


def _calls(scenario: Scenario) -> Iterator[float]:
    """Yield the seconds of calls to four services."""
    cloud, outputs = scenario.cloud, scenario.outputs
    ecs, pipelines = cloud.client("ecs"), cloud.client("codepipeline")
    stacks, iam = cloud.client("cloudformation"), cloud.client("iam")
    for _ in range(CALLS):
        for call in (
            lambda: ecs.describe_services(cluster=outputs.cluster_name, services=[outputs.service_name]),
            lambda: pipelines.get_pipeline_state(name=outputs.pipeline_name),
            lambda: stacks.describe_stacks(),
            lambda: iam.list_roles(),
        ):
            yield timed(call)
