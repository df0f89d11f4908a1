"""Runs Lambda functions in the sandbox, with the variables of Lambda's runtime and none of the server's own.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local_aws.core.context import Context
from local_aws.ministack.compat import require

# Of the server's variables, what a function needs to run, to reach its endpoint, and to end with the server.
_SHARED = frozenset(
    {
        *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "NODE_PATH", "NODE_OPTIONS"),
        # Set for every function (see function_network), perhaps to the server's own value.
        *("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"),
        *("AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED", "LOCAL_AWS_INSTANCE"),
    }
)
_MODULES = (require("core.lambda_runtime", "subprocess"), require("services.lambda_svc", "subprocess"))


def patch_function_processes(context: Context) -> None:
    """Start every function's process with `function_variables`, in the sandbox of `context`."""

    def arguments(words: Sequence[str], given: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
        if given.get("env") is None:
            return list(words), given
        folder = Path(given.get("cwd") or os.getcwd())  # noqa: PTH109 - as subprocess does
        return context.sandboxed(words, folder), {**given, "env": function_variables(given["env"])}

    def start(words: Sequence[str], **given: Any) -> "subprocess.Popen[Any]":
        command, given = arguments(words, given)
        return subprocess.Popen(command, **given)  # noqa: S603 - the runtime of a function

    def run(words: Sequence[str], **given: Any) -> "subprocess.CompletedProcess[Any]":
        command, given = arguments(words, given)
        return subprocess.run(command, **given)  # noqa: S603 - the runtime of a function

    for module in _MODULES:
        module.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": start, "run": run})


def function_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return a function's variables: MiniStack adds them to a copy of the server's."""
    return {
        name: value for name, value in variables.items() if name in _SHARED or os.environ.get(name) != value
    }
