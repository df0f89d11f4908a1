"""Lambda's functions act as their roles: what they call, and what Lambda itself logs for them."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.context import Context
from local_aws.ministack.private import require

runtime = require("core.lambda_runtime", "execution_credentials")
lambda_svc = require("services.lambda_svc", "_emit_lambda_logs")
logs = require("services.cloudwatch_logs", "_log_groups")


def install(context: Context) -> None:
    """Give every function its role's credentials, and its lines to a log group that is there."""
    runtime.execution_credentials = lambda config: context.credentials(config["Role"])
    lambda_svc._emit_lambda_logs = _only_into_a_group(lambda_svc._emit_lambda_logs)


def _only_into_a_group(original: Callable[..., None]) -> Callable[..., None]:
    """Lose the lines of a function whose log group is gone: it may make no group (traps H2)."""

    def emit(func: Mapping[str, Any], *rest: Any, **more: Any) -> None:
        config = func.get("config") or func
        group = (config.get("LoggingConfig") or {}).get("LogGroup")
        if group is None or group in logs._log_groups:
            original(func, *rest, **more)

    return emit
