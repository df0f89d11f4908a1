"""`python -m harness.demo`: the first scenario on local_aws, to watch; it ends with all destroyed."""

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live

from harness.cloud import Cloud
from harness.folders import clear, run_folder
from harness.interrupts import defer_signals, sigterm_as_ctrl_c
from harness.local import cloud_of, local_aws, runs_in
from harness.prober import Figures
from harness.progress import Progress
from harness.scenario import Scenario, ScenarioError
from harness.screen import Screen
from harness.suffixes import random_suffix
from operations.errors import OperationsError

RATE = 100.0


@dataclass
class Verdict:
    """What the last line says."""

    old: str
    new: str
    shift_seconds: float
    figures: Figures
    report: Path | None = None

    def line(self, time_scale: float) -> str:
        """Return the figures in one line."""
        figures = self.figures
        return (
            f"{self.old[:7]} -> {self.new[:7]}: push to all traffic in {self.shift_seconds:.0f} s "
            f"(AWS's waits at {time_scale:g} of their length); "
            f"{figures.requests} requests at {figures.rate:.0f}/s, "
            f"{figures.failures} failed, p50 {figures.p50:.0f} ms, p95 {figures.p95:.0f} ms; 0 leftovers"
        )


def main() -> int:
    """Play the scenario; return 0 if it passed, 1 if it failed, 2 for what a person can set right."""
    console = Console()
    clear("demo", runs_in)
    folder = run_folder("demo")
    try:
        with sigterm_as_ctrl_c(), local_aws(folder) as running:
            cloud = cloud_of(running, folder)
            verdict = _watched(console, cloud) if console.is_terminal else _told(cloud, Progress(print))
    except KeyboardInterrupt:
        print("demo: interrupted; everything is destroyed", file=sys.stderr)
        return 130
    except ScenarioError as error:
        print(f"demo: FAILED: {error}\ndemo: what was written is in {folder}", file=sys.stderr)
        return 1
    except OperationsError as error:
        print(f"demo: {error}\ndemo: what was written is in {folder}", file=sys.stderr)
        return 2
    # Of a scenario that came out as told, nobody needs the state; it takes some 100 MB.
    shutil.rmtree(folder, ignore_errors=True)
    print(verdict.line(cloud.time_scale))
    print(f"the report of it: {verdict.report}")
    return 0


def _watched(console: Console, cloud: Cloud) -> Verdict:
    screen = Screen()
    with Live(screen, console=console, refresh_per_second=4):
        return _told(cloud, screen.progress)


def _told(cloud: Cloud, progress: Progress) -> Verdict:
    progress.time_scale = cloud.time_scale
    progress.containers = cloud.containers
    progress.step(f"local_aws at {cloud.endpoint}; AWS's waits pass at {cloud.time_scale:g} of their length")
    progress.step(f"containers: {cloud.containers}")
    scenario = Scenario(cloud, random_suffix("demo"), progress)
    try:
        verdict = _release(scenario)
        before = scenario.traffic()
        if scenario.deploy() or scenario.traffic() != before:
            raise ScenarioError("a second cdk deploy changed something")
        scenario.destroy()
    except BaseException as error:
        broken = str(error).partition(chr(10))[0] or type(error).__name__
        progress.step(f"broken off: {broken}")
        try:
            with defer_signals("destroying, please wait"):
                scenario.destroy()
        finally:
            scenario.recorder.finish(passed=False, verdict=broken)
        raise
    verdict.report = scenario.recorder.finish(passed=True, verdict=verdict.line(cloud.time_scale))
    return verdict


def _release(scenario: Scenario) -> Verdict:
    scenario.deploy()
    seeded = scenario.seed()
    developer = scenario.developer()
    with scenario.probing() as prober:
        # A moment of the old version alone, to be seen.
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


if __name__ == "__main__":
    sys.exit(main())
