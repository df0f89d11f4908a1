"""app.py as the CDK CLI runs it: a process with the context in its environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from unit_tests.infrastructure.synthesized import PROJECT, context


def run_app(folder: Path, given: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Run app.py where no credentials can be found."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CDK_"))},
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_CONTEXT_JSON": json.dumps(given),
        "CDK_OUTDIR": str(folder / "cdk.out"),
    }
    command = [sys.executable, str(PROJECT / "app.py")]
    return subprocess.run(  # noqa: S603  # our own app, with arguments of our own
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.parametrize(
    ("overrides", "begins"),
    [
        ({"environmentSuffix": None}, "error: environmentSuffix is missing: it must be "),
        ({"environmentSuffix": "Prod"}, 'error: environmentSuffix is "Prod": it must be '),
        ({"account": "1234", "notificationEmail": "nobody"}, 'error: account is "1234": it must be '),
    ],
)
def test_bad_input_ends_the_app_with_one_line_and_exit_code_2(
    tmp_path: Path, overrides: dict[str, object], begins: str
) -> None:
    given = {key: value for key, value in context(**overrides).items() if value is not None}
    finished = run_app(tmp_path, given)
    ours = [line for line in finished.stderr.splitlines() if line.startswith("error: ")]
    assert finished.returncode == 2
    assert len(ours) == 1
    assert ours[0].startswith(begins)
    assert "Traceback" not in finished.stderr
    assert not list((tmp_path / "cdk.out").glob("*.template.json"))


def test_a_good_context_synthesizes_without_credentials(tmp_path: Path) -> None:
    finished = run_app(tmp_path, context())
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "cdk.out" / "Stack.template.json").exists()
    manifest = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text("utf-8"))
    assert "missing" not in manifest  # a lookup would need credentials
    assert manifest["artifacts"]["Stack"]["environment"] == "aws://unknown-account/us-east-1"
    assert manifest["artifacts"]["Stack"]["properties"]["stackName"] == "stack-dev"
