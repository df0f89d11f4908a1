"""The CDK CLI's output, and the context of an environment."""

import re
from pathlib import Path

import pytest

from harness.cloud import Cloud
from harness.environment import Environment, failure_summary
from harness.suffixes import random_suffix
from infrastructure.config.environments import ENVIRONMENTS
from tools.synthesis import defaults


def test_a_failed_deploy_has_the_clis_summary() -> None:
    output = (
        "stack | 1/4 | CREATE_COMPLETE\n" * 50 + "Failed resources:\nservice | CREATE_FAILED | no image\n"
    )
    assert failure_summary(output) == "Failed resources:\nservice | CREATE_FAILED | no image"


def test_a_failure_without_a_summary_has_the_last_lines() -> None:
    output = "\n".join(f"line {number}" for number in range(100))
    assert failure_summary(output).splitlines()[0] == "line 75"
    assert failure_summary(output).splitlines()[-1] == "line 99"


def test_the_cdk_clis_output_is_in_its_log_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment takes half an hour, and the log had nothing until its end."""
    environment, cdk = Environment(Cloud("AWS", tmp_path), "it1"), tmp_path / "cdk"
    cdk.write_text(f"#!/bin/sh\necho stack | tee /dev/stderr\ngrep -qx stack '{environment.log}'\n")
    cdk.chmod(0o755)
    monkeypatch.setattr("harness.environment.CDK", cdk)
    environment.synthesize()
    assert environment.log == tmp_path / "it1" / "cdk.log", "its folder is named by the suffix"


def test_a_random_suffix_is_valid() -> None:
    for _ in range(20):
        suffix = random_suffix("demo")
        assert re.fullmatch(r"demo[0-9a-f]{8}", suffix)
        assert len(suffix) <= 12


def test_an_environment_of_a_scenario_shifts_traffic_as_staging_does(tmp_path: Path) -> None:
    """An unknown suffix gets dev's settings, which shift all traffic at once."""
    context = Environment(Cloud("AWS", tmp_path), "it1", {"certificateArn": "arn"}).context
    staging = defaults()[ENVIRONMENTS]["staging"]
    for key in ("deploymentConfig", "terminationWaitMinutes"):
        assert context.pop(key) == str(staging[key])
    assert context == {"environmentSuffix": "it1", "certificateArn": "arn"}
