"""Tells a scenario: an environment of its own, destroyed whatever happens, and a report in the end."""

from collections.abc import Iterator, Mapping
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
    """Give a scenario of `request`'s module; `context` and `trust` are the scenario's own."""
    told = Scenario(cloud, suffix or random_suffix("it"), Progress(print, cloud.time_scale), context, verify)
    failed_before = request.session.testsfailed
    try:
        yield told
    finally:
        try:
            if not request.config.getoption("--keep"):
                told.clean_up()
        finally:
            failed = request.session.testsfailed - failed_before
            name = request.node.name
            verdict = f"{failed} tests of {name} failed" if failed else f"every test of {name} passed"
            told.progress.step(f"report: {told.recorder.finish(passed=not failed, verdict=verdict)}")
