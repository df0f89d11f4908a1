"""Runs a module of local_aws in a new interpreter, installed or not, in any working directory."""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_RUN = """
import runpy, sys
root, module = sys.argv[1:3]
del sys.argv[1:3]
if root not in sys.path:
    sys.path.insert(0, root)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `module` (`local_aws.host.reaper`) as `python -m` does.

    It passes the path as an argument: PYTHONPATH would reach every build and task that the module starts.
    """
    return [sys.executable, "-P", "-c", _RUN, str(_ROOT), module, *arguments]
