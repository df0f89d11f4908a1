"""Runs a scenario for a fixture: its environment is always destroyed, and a report is written."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import pytest

from harness.cloud import Cloud
from harness.progress import Progress
from harness.scenario import Scenario
from harness.suffixes import random_suffix


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
                scenario.progress.step(kept(scenario))
            else:
                scenario.clean_up()
        finally:
            failed = request.session.testsfailed - failed_before
            name = request.node.name
            verdict = f"{failed} tests of {name} failed" if failed else f"every test of {name} passed"
            scenario.progress.step(f"report: {scenario.recorder.finish(passed=not failed, verdict=verdict)}")


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
