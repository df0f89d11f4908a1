"""What the benchmark reads from the templates: how they grow with services, what a release waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import waits
from benchmarks.templates import COUNTS, EMPTY_APP, catalogue, linearity, size
from infrastructure.config.settings import Config
from tools.cost import SHIFT_MINUTES
from tools.new_service import copy_service
from tools.synthesis import PROJECT, environment_contexts, synthesized


def test_the_templates_of_services_grow_by_the_same_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes, not times: those are the machine's. However many there are, one has what it has alone."""
    copy_service(PROJECT, tmp_path / "service", package="service")
    monkeypatch.setattr("infrastructure.constructs.source.PROJECT", tmp_path)
    alone = size(catalogue(1, "service"), "s0")
    for count in COUNTS:
        services = catalogue(count, "service")
        assert size(services, [*services][-1]) == pytest.approx(alone, rel=0.01)


def test_what_grows_faster_than_services_is_above_one() -> None:
    assert linearity([2.0] * 10, 10) == 1
    assert linearity([9.0, 2.0, 2.0, 2.0, 2.0, 2.0], 1) == 4.5, "one slow moment is that of the first alone"
    assert linearity([float(number) for number in range(1, 51)], 50) > 5


@pytest.mark.parametrize("name", environment_contexts())
def test_the_waits_are_those_of_the_templates(name: str) -> None:
    context = environment_contexts()[name]
    found, config = waits.waits_of(synthesized(context)), Config.from_context(context)
    assert (found.health_checks, found.bake, found.deregistration) == (10, 0, 30)
    assert found.termination == 60 * config.termination_wait_minutes
    assert found.shift == waits.shift_of(config.deployment_config)
    assert found.to_all_traffic == 10 + found.shift
    assert found.total == found.to_all_traffic + found.termination + 30


def test_a_release_to_dev_waits_for_less_than_three_minutes_and_for_less_than_those_of_others() -> None:
    dev = waits.waits_of(synthesized(environment_contexts()["dev"]))
    assert dev.total < 180
    assert dev.to_all_traffic <= min(other.to_all_traffic for other in waits.OTHERS.values())


def test_a_shift_takes_what_its_name_says_and_what_the_costs_count() -> None:
    for end, minutes in SHIFT_MINUTES.items():
        assert waits.shift_of(f"CodeDeployDefault.ECS{end}") == 60 * minutes
    with pytest.raises(ValueError, match="mine is no predefined"):
        waits.shift_of("mine")


def test_the_empty_app_exists() -> None:
    assert EMPTY_APP.is_file()
