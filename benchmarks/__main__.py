"""`python -m benchmarks`: run each benchmark once, and print the figures."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from benchmarks.container import throughput
from benchmarks.templates import growth
from benchmarks.waits import waits
from harness.cloud import PROJECT, Cloud, HarnessError
from harness.folders import remove_finished_runs, run_folder
from harness.local import is_running_in, local_aws, local_cloud, peak_memory
from harness.progress import Progress
from harness.scenario import Scenario, ScenarioError
from harness.suffixes import random_suffix
from operations.cdk_cli import CDK
from operations.command_line import EXIT_CODES, Parser
from operations.errors import OperationsError

EMPTY_APP = Path(__file__).with_name("empty_app.py")
SYNTHS = 3
# Requests a second through the shift.
RATE = 500
# The waiting times in the templates: the canary of CodeDeploy, then the termination of the old tasks.
CANARY_MINUTES = 5
TERMINATION_MINUTES = 5


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks; return the exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ScenarioError as error:
        print(f"bench: FAILED: {error}", file=sys.stderr)
        return 1
    except (OperationsError, BotoCoreError, ClientError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = Parser(
        prog="python -m benchmarks",
        description="Measure times, throughput and memory, and print the figures.",
        epilog=EXIT_CODES,
    )
    parser.set_defaults(run=_benchmarks)
    return parser


def _benchmarks(_: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        ours, empty = _synths(Path(folder))
    rows = [
        ("cdk synth", f"{ours:.1f} s (median of {SYNTHS})"),
        ("cdk synth of an empty app", f"{empty:.1f} s, so ours takes {ours / empty:.2f} times as long"),
        *growth(),
        *throughput(),
        *_release(),
    ]
    table = Table("What", "Figure")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    Console().print(waits())
    return 0


def _synths(folder: Path) -> tuple[float, float]:
    python = f"{sys.executable} {EMPTY_APP}"
    ours = ["-c", "environmentSuffix=bench"]
    times: list[tuple[float, float]] = []
    # Alternating, so that other load of the machine affects both.
    for _ in range(SYNTHS):
        times.append((_synth(folder / "ours", ours), _synth(folder / "empty", ["--app", python])))
    return statistics.median(time[0] for time in times), statistics.median(time[1] for time in times)


def _synth(output: Path, arguments: list[str]) -> float:
    command = [str(CDK), "synth", "--quiet", "--no-notices", "--output", str(output), *arguments]

    def run() -> None:
        done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)  # noqa: S603 - our own CDK CLI
        if done.returncode:
            raise HarnessError(f"cdk synth failed: {done.stderr.strip()}")

    return _timed(run)


def _release() -> list[tuple[str, str]]:
    remove_finished_runs("bench", is_running_in)
    folder = run_folder("bench")
    began = time.monotonic()
    with local_aws(folder) as running:
        started = time.monotonic() - began
        cloud = local_cloud(running, folder)
        scenario = Scenario(cloud, random_suffix("b"), Progress(lambda _: None, cloud.time_scale))
        try:
            rows = _scenario(scenario, cloud)
        finally:
            destroying = _timed(scenario.destroy)
        memory = peak_memory(running)
    left = f"{destroying:.1f} s"
    peak = f"{memory / 1024:.0f} MiB at its peak (VmHWM), without its child processes"
    return [
        ("start of local_aws", f"{started:.1f} s"),
        *rows,
        ("destroy, and search for leftovers", left),
        ("memory of local_aws", peak),
    ]


def _scenario(scenario: Scenario, cloud: Cloud) -> list[tuple[str, str]]:
    deploying = _timed(scenario.deploy)
    scenario.wait_for_seed()
    developer = scenario.developer()
    with scenario.probing(RATE) as prober:
        commit = developer.greet("Hello from the bench")
        began, old = prober.seconds, scenario.progress.old
        scenario.push(developer, commit)
        over = prober.seconds - began
        figures = scenario.settle(prober, commit)
    shifted = prober.last_of(old) - began
    canary = 60 * cloud.time_scale * CANARY_MINUTES
    both = canary + 60 * cloud.time_scale * TERMINATION_MINUTES
    return [
        ("cdk bootstrap and deploy", f"{deploying:.1f} s"),
        ("time scale of AWS's waiting times", f"{cloud.time_scale:g}"),
        ("push to 100 % of traffic", f"{shifted:.1f} s, without the canary {shifted - canary:.1f} s"),
        (
            "push to the end of its deployment",
            f"{over:.1f} s, without all waiting times {over - both:.1f} s",
        ),
        (
            "requests during the deployment",
            f"{figures.requests} at {figures.rate:.0f}/s, {figures.failures} failed",
        ),
        ("size of the image", _image(scenario)),
        ("their latency", f"p50 {figures.p50:.1f} ms, p95 {figures.p95:.1f} ms"),
    ]


def _image(scenario: Scenario) -> str:
    ecr = scenario.cloud.client("ecr")
    images = ecr.describe_images(repositoryName=scenario.outputs.image_repository_name)["imageDetails"]
    newest = max(images, key=lambda image: image["imagePushedAt"])
    return f"{newest['imageSizeInBytes'] / 1024 / 1024:.1f} MiB in the registry, without the base image"


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
