"""The CDK CLI for one environment of many: each has an assembly and a log of its own."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from operations.cdk_cli import run_cdk
from operations.errors import OperationsError

Run = Callable[..., int]
# With `--ci`, only errors are on standard error.
PLAIN = ("--no-color", "--ci")


class Cdk:
    """Synthesizes, compares and deploys environments in `folder`, with the settings of `-c` for all."""

    def __init__(self, folder: Path, context: Sequence[tuple[str, str]] = (), run: Run = run_cdk) -> None:
        self.folder = folder
        self.context = [word for key, value in context for word in ("-c", f"{key}={value}")]
        self._cdk = run

    def log(self, suffix: str) -> Path:
        """Return the log of an environment."""
        return self.folder / f"{suffix}.log"

    def synthesize(self, suffix: str) -> Path:
        """Return the new assembly of an environment."""
        assembly = self.folder / suffix
        shutil.rmtree(assembly, ignore_errors=True)
        settings = ("-c", f"environmentSuffix={suffix}", *self.context)
        self._run(suffix, "synth", "--quiet", *settings, "--output", str(assembly))
        return assembly

    def diff(self, suffix: str, assembly: Path) -> str:
        """Return how the templates differ from the deployed ones, nested stacks included.

        It reads the templates, and makes no change set, for which it would have to upload them.
        """
        return self._run(suffix, "diff", "--app", str(assembly), "--method=template", *PLAIN)

    def deploy(self, suffix: str, assembly: Path) -> None:
        """Deploy an assembly; CloudFormation does nothing if its templates are deployed already."""
        self._run(suffix, "deploy", "--app", str(assembly), "--require-approval", "never", *PLAIN)

    def _run(self, suffix: str, command: str, *arguments: str) -> str:
        """Run `cdk`, and return what it has written. Raises `OperationsError` with its last line."""
        log = self.log(suffix)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as written:
            written.write(f"$ cdk {command} {' '.join(arguments)}\n")
        began = log.stat().st_size
        code = self._cdk(command, *arguments, log=log)
        output = log.read_bytes()[began:].decode(errors="replace")
        if code:
            last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
            raise OperationsError(f"{suffix}: cdk {command} ended with exit code {code}, see {log}: {last}")
        return output
