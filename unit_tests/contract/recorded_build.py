"""A build whose `aws` and `docker` record their calls, to run single commands of the buildspecs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from unit_tests.contract.contract_files import ENVIRONMENT, Contract

COMMIT = ENVIRONMENT["CODEBUILD_RESOLVED_SOURCE_VERSION"]
TAG = f"commit-{COMMIT}-7a1b"
IMAGE = f"{ENVIRONMENT['IMAGE_REPOSITORY_URI']}:{TAG}"
DIGEST = f"sha256:{'ab' * 32}"

# Records its call and its input; responds with the first rule that matches the call, each rule once.
# `exec` runs for real, so that the smoke test's own Python is tested.
STAND_IN = """#!{python}
import json, os, pathlib, subprocess, sys
here = pathlib.Path(__file__).parent
name, arguments = pathlib.Path(__file__).name, " ".join(sys.argv[1:])
fed = sys.stdin.read() if "--password-stdin" in sys.argv else ""
with (here / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps([name + " " + arguments, fed]) + "\\n")
rules = json.loads((here / "rules.json").read_text())
for index, (part, output, status) in enumerate(rules):
    if part in name + " " + arguments:
        del rules[index]
        (here / "rules.json").write_text(json.dumps(rules))
        print(output, file=sys.stderr if status else sys.stdout)
        sys.exit(status)
if sys.argv[1:2] == ["exec"]:
    sys.exit(subprocess.call(sys.argv[3:]))
"""


@dataclass
class Build:
    """A build's source folder, its environment, and the two commands that replace AWS and Docker."""

    folder: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {**ENVIRONMENT, "COMMIT": COMMIT, "IMAGE_TAG": TAG}
    )

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir()
        for name in ("aws", "docker"):
            script = self.folder / "bin" / name
            script.write_text(STAND_IN.format(python=sys.executable))
            script.chmod(0o755)

    def answer(self, *rules: tuple[str, str, int]) -> None:
        """Set the output and the exit status of the next call that contains the text of a rule."""
        (self.folder / "bin" / "rules.json").write_text(json.dumps(rules))

    def run(self, text: str, *, then: str = "") -> subprocess.CompletedProcess[str]:
        """Run the first command that holds `text`, and `then` in the same shell if it succeeded."""
        contract = Contract.read()
        command = contract.commands[contract.step(text)].rstrip()
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.defpath}"
        return subprocess.run(  # noqa: S603 - the command is of the project's own buildspecs.
            ["/bin/bash", "-c", f"{command}\n" + (f"[ $? = 0 ] && {then}" if then else "")],
            cwd=self.folder,
            env={**self.environment, "PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Return every call of `aws` and `docker` with its input; the order within a pipe varies."""
        log = self.folder / "bin" / "calls.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(call, fed) for call, fed in map(json.loads, lines)]
