"""`python -m harness.demo`: the first story on local_aws, to watch; it ends with all destroyed."""

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live

from harness.cloud import Cloud
from harness.folders import clear, run_folder
from harness.interrupts import held_back, sigterm_as_ctrl_c
from harness.local import cloud_of, local_aws, runs_in
from harness.prober import Figures
from harness.progress import Progress
from harness.scenario import Story, StoryError
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

    def line(self, factor: float) -> str:
        """Return the figures in one line."""
        figures = self.figures
        return (
            f"{self.old[:7]} -> {self.new[:7]}: push to all traffic in {self.shift_seconds:.0f} s "
            f"(AWS's waits at {factor:g} of their length); "
            f"{figures.requests} requests at {figures.rate:.0f}/s, "
            f"{figures.failures} failed, p50 {figures.p50:.0f} ms, p95 {figures.p95:.0f} ms; 0 leftovers"
        )


def main() -> int:
    """Tell the story; return 0 only if it came out as told, 1 if not, 2 for what a person can set right."""
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
    except StoryError as error:
        print(f"demo: FAILED: {error}\ndemo: what was written is in {folder}", file=sys.stderr)
        return 1
    except OperationsError as error:
        print(f"demo: {error}\ndemo: what was written is in {folder}", file=sys.stderr)
        return 2
    # Of a story that came out as told, nobody needs the state; it takes some 100 MB.
    shutil.rmtree(folder, ignore_errors=True)
    print(verdict.line(cloud.factor))
    print(f"the report of it: {verdict.report}")
    return 0


def _watched(console: Console, cloud: Cloud) -> Verdict:
    screen = Screen()
    with Live(screen, console=console, refresh_per_second=4):
        return _told(cloud, screen.progress)


def _told(cloud: Cloud, progress: Progress) -> Verdict:
    progress.factor = cloud.factor
    progress.containers = cloud.containers
    progress.step(f"local_aws at {cloud.endpoint}; AWS's waits pass at {cloud.factor:g} of their length")
    progress.step(f"containers: {cloud.containers}")
    story = Story(cloud, random_suffix("demo"), progress)
    try:
        verdict = _release(story)
        before = story.traffic()
        if story.deploy() or story.traffic() != before:
            raise StoryError("a second cdk deploy changed something")
        story.destroy()
    except BaseException as error:
        broken = str(error).partition(chr(10))[0] or type(error).__name__
        progress.step(f"broken off: {broken}")
        try:
            with held_back("destroying, please wait"):
                story.destroy()
        finally:
            story.recorder.finish(passed=False, verdict=broken)
        raise
    verdict.report = story.recorder.finish(passed=True, verdict=verdict.line(cloud.factor))
    return verdict


def _release(story: Story) -> Verdict:
    story.deploy()
    seeded = story.seed()
    developer = story.developer()
    with story.probing() as prober:
        # A moment of the old version alone, to be seen.
        time.sleep(2)
        commit = developer.greet("Hello from the demo")
        began = prober.seconds
        story.push(developer, commit)
        figures = story.settle(prober, commit)
    verdict = Verdict(seeded.commit, commit, prober.last_of(seeded.commit) - began, figures)
    if figures.failures or figures.rate < RATE or set(figures.versions) != {seeded.commit, commit}:
        raise StoryError(f"not zero failed at {RATE:g} requests/s: {verdict.line(story.cloud.factor)}")
    return verdict


if __name__ == "__main__":
    sys.exit(main())
