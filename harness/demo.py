"""Runs the first scenario on local_aws with a live view; everything is destroyed at the end."""

import shutil
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.live import Live

from harness.cloud import Cloud
from harness.folders import remove_finished_runs, run_folder
from harness.local import is_running_in, local_aws, local_cloud
from harness.prober import Figures
from harness.progress import Progress
from harness.progress_lines import working
from harness.report.build_steps import lines
from harness.report.evidence import BuildTimes
from harness.scenario import Scenario, ScenarioError
from harness.screen import Screen
from harness.signals import defer_signals, termination_as_keyboard_interrupt
from harness.suffixes import random_suffix
from operations.errors import OperationsError

RATE = 100.0


@dataclass
class Verdict:
    """The figures of the last line."""

    old: str
    new: str
    shift_seconds: float
    figures: Figures
    builds: tuple[BuildTimes, ...] = ()
    report: Path | None = None
    passed_through: list[str] = field(default_factory=list)

    def line(self, time_scale: float) -> str:
        """Return the figures in one line."""
        figures = self.figures
        return (
            f"{self.old[:7]} -> {self.new[:7]}: push to all traffic in {self.shift_seconds:.0f} s "
            f"(AWS's waits take {time_scale:g} of their length); "
            f"{figures.requests} requests at {figures.rate:.0f}/s, "
            f"{figures.failures} failed, p50 {figures.p50:.0f} ms, p95 {figures.p95:.0f} ms; 0 leftovers"
        )


def demo() -> int:
    """Run the scenario and print its figures. Raises `ScenarioError` when it fails."""
    console = Console()
    remove_finished_runs("demo", is_running_in)
    folder = run_folder("demo")
    try:
        with termination_as_keyboard_interrupt(), ExitStack() as stack:
            with working("starting local_aws"):
                server = stack.enter_context(local_aws(folder))
            cloud = local_cloud(server, folder)
            if console.is_terminal:
                verdict = _run_with_screen(console, cloud)
            else:
                verdict = _run(cloud, Progress(print))
    except KeyboardInterrupt:
        print("demo: interrupted; everything is destroyed", file=sys.stderr)
        return 130
    except (ScenarioError, OperationsError):
        print(f"demo: the files of this run are in {folder}", file=sys.stderr)
        raise
    # The state takes about 100 MB, and is of no use after a success.
    shutil.rmtree(folder, ignore_errors=True)
    print("where the seconds of its Build stage went:", *lines(verdict.builds), sep="\n")
    print(verdict.line(cloud.time_scale))
    print(f"passed through to MiniStack unchecked: {', '.join(verdict.passed_through) or 'nothing'}")
    print(f"report: {verdict.report}")
    return 0


def _run_with_screen(console: Console, cloud: Cloud) -> Verdict:
    screen = Screen()
    with Live(screen, console=console, refresh_per_second=4):
        return _run(cloud, screen.progress)


def _run(cloud: Cloud, progress: Progress) -> Verdict:
    progress.time_scale = cloud.time_scale
    progress.containers = cloud.containers
    progress.step(f"local_aws at {cloud.endpoint}; AWS's waits take {cloud.time_scale:g} of their length")
    progress.step(f"containers: {cloud.containers}")
    scenario = Scenario(cloud, random_suffix("demo"), progress)
    try:
        verdict = _release(scenario)
        before = scenario.traffic()
        if scenario.deploy() or scenario.traffic() != before:
            raise ScenarioError("a second cdk deploy changed the stack or its traffic")
        scenario.destroy()
    except BaseException as error:
        reason = str(error).partition(chr(10))[0] or type(error).__name__
        progress.step(f"aborted: {reason}")
        try:
            with defer_signals("destroying, please wait"):
                scenario.destroy()
        finally:
            scenario.recorder.finish(passed=False, verdict=reason)
        raise
    verdict.report = scenario.recorder.finish(passed=True, verdict=verdict.line(cloud.time_scale))
    verdict.builds = scenario.recorder.evidence.releases[-1].builds
    verdict.passed_through = scenario.recorder.evidence.passed_through
    return verdict


def _release(scenario: Scenario) -> Verdict:
    scenario.deploy()
    seeded = scenario.wait_for_seed()
    developer = scenario.developer()
    with scenario.probing() as prober:
        # The live view first shows the old version alone.
        time.sleep(2)
        commit = developer.greet("Hello from the demo")
        began = prober.seconds
        scenario.push(developer, commit)
        figures = scenario.settle(prober, commit)
    verdict = Verdict(seeded.commit, commit, prober.last_of(seeded.commit) - began, figures)
    if figures.failures or figures.rate < RATE or set(figures.versions) != {seeded.commit, commit}:
        line = verdict.line(scenario.cloud.time_scale)
        raise ScenarioError(f"requests failed at {RATE:g} requests/s: {line}")
    return verdict
