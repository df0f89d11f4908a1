"""The CDK CLI of this checkout."""

import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from operations.errors import OperationsError
from operations.interruptible import run

PROJECT = Path(__file__).resolve().parent.parent
CDK = PROJECT / "node_modules" / ".bin" / "cdk"


def run_cdk(
    *arguments: str, environment: Mapping[str, str] = os.environ, log: Path | IO[str] | None = None
) -> int:
    """Run `cdk` with its output at the end of `log` (default: in the terminal); return its exit code."""
    if not CDK.exists():
        raise OperationsError("the CDK CLI is not installed here: run `make setup`")
    # `cdk` is a Node.js program and starts `python3 app.py`: both are in the virtual environment.
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), environment.get("PATH", os.defpath)])
    command = [str(CDK), *arguments, "--no-notices"]
    with log.open("a") if isinstance(log, Path) else nullcontext(log) as output:
        return run(command, folder=PROJECT, environment={**environment, "PATH": path}, output=output)
