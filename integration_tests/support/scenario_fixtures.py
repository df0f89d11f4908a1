"""Runs a scenario for a fixture: its environment is always destroyed, and a report is written."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import pytest

from harness.cloud import Cloud
from harness.progress import Progress
from harness.scenario import Scenario
from harness.suffixes import random_suffix
from integration_tests.support.interrupted import INTERRUPTED_IN

# What is left of each environment, and what a person must type: the end of a run.
LAST_LINES = pytest.StashKey[list[str]]()


@contextmanager
def running_scenario(
    cloud: Cloud,
    request: pytest.FixtureRequest,
    *,
    suffix: str = "",
    context: Mapping[str, str] = MappingProxyType({}),
    verify: str | bool = True,
) -> Iterator[Scenario]:
    """Yield a scenario for the module of `request`; `context` and `verify` are `Scenario`'s."""
    progress = Progress(printer(request.config), cloud.time_scale)
    scenario = Scenario(cloud, suffix or random_suffix("it"), progress, context, verify)
    if cloud.endpoint is None:
        progress.step(f"if this is killed: {scenario.environment.destroy_command}")
    failed_before = request.session.testsfailed
    try:
        yield scenario
    finally:
        try:
            if request.config.getoption("--keep"):
                scenario.unsubscribe()
                scenario.remedy = kept(scenario)
                scenario.progress.step(scenario.remedy)
            else:
                scenario.clean_up()
        except KeyboardInterrupt:
            # At the end of its session, pytest ends with the traceback of an interrupt.
            request.config.stash[INTERRUPTED_IN] = "the destroy"
            pytest.exit("interrupted during the destroy", returncode=pytest.ExitCode.INTERRUPTED)
        finally:
            nothing = f"nothing of {scenario.environment.suffix} is left" if cloud.endpoint is None else ""
            line = scenario.remedy or nothing
            request.config.stash.setdefault(LAST_LINES, []).extend([line] if line else [])
            passed, verdict = _verdict(request, request.session.testsfailed - failed_before)
            scenario.progress.step(f"report: {scenario.recorder.finish(passed=passed, verdict=verdict)}")


def _verdict(request: pytest.FixtureRequest, failed: int) -> tuple[bool, str]:
    """Return whether the tests of the module have passed, and in words how they have ended."""
    name, interrupted = request.node.name, request.config.stash.get(INTERRUPTED_IN, "")
    if interrupted:
        return False, f"interrupted in {interrupted.rpartition('::')[2]}"
    return not failed, f"{failed} tests of {name} failed" if failed else f"every test of {name} passed"


def take_suffix(config: pytest.Config) -> str:
    """Return --suffix for the first environment, and nothing for the others: names return late on AWS."""
    suffix, config.option.suffix = config.option.suffix, None
    return suffix or ""


def kept(scenario: Scenario) -> str:
    """Say what `--keep` leaves, and the command that destroys it."""
    environment, url = scenario.environment, scenario.progress.url or "no URL yet"
    return f"kept: {environment.suffix}, {url}; to destroy it: {environment.destroy_command}"


def printer(config: pytest.Config) -> Callable[[str], None]:
    """Return what prints a line of progress: with `--live` at once, else when the test fails."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if not config.getoption("--live") or capture is None:
        return print

    def print_at_once(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(line, flush=True)

    return print_at_once
