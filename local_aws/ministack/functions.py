"""Gives Lambda functions the credentials of their roles, and writes a function's log only if its role may."""

from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.core.context import Context, ServiceRole, Source
from local_aws.ministack.account_scope import account_of, scope
from local_aws.ministack.compat import require
from local_aws.ministack.request_checks import keys

lambda_runtime = require("core.lambda_runtime", "execution_credentials")
lambda_svc = require(
    "services.lambda_svc",
    *("_emit_lambda_logs", "_functions", "_invoke", "error_response_json", "execution_credentials"),
)
logs = require("services.cloudwatch_logs", "_log_groups")

# By the state of a key; one that does not exist has none.
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
KEY_ERRORS: Mapping[str | None, tuple[str, str]] = {
    "": ("KMSNotFoundException", "the KMS key was not found"),
    "Disabled": ("KMSDisabledException", "the KMS key is disabled"),
    "PendingDeletion": ("KMSInvalidStateException", "the state of the KMS key is not valid for Decrypt"),
}


def patch_function_credentials(context: Context) -> None:
    """Run every function with its role's credentials, and drop log lines that the role may not write."""

    def credentials(config: Mapping[str, Any]) -> dict[str, str]:
        # https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html has no source.
        role = ServiceRole(config["Role"], "lambda", config["FunctionArn"], Source.NONE)
        return context.credentials(role)

    lambda_runtime.execution_credentials = credentials
    lambda_svc.execution_credentials = credentials
    emit = lambda_svc._emit_lambda_logs

    def emit_permitted(function: dict[str, Any], *arguments: Any, **named: Any) -> None:
        config = function.get("config") or function
        if _may_log(context, config):
            emit(function, *arguments, **named)

    lambda_svc._emit_lambda_logs = emit_permitted


def patch_function_keys() -> None:
    """Fail the invocation of a function whose environment variables cannot be decrypted."""
    invoke = lambda_svc._invoke

    async def invoke_decrypted(name: str, event: Any, headers: Mapping[str, str], *rest: Any) -> Any:
        state = None if headers.get("x-amz-invocation-type") == "DryRun" else _key_state(name)
        if state not in KEY_ERRORS:
            return await invoke(name, event, headers, *rest)
        code, reason = KEY_ERRORS[state]
        message = f"Lambda was unable to decrypt the environment variables because {reason}."
        return lambda_svc.error_response_json(code, message, 502)

    lambda_svc._invoke = invoke_decrypted


def _key_state(name: str) -> str | None:
    """Return the state of the key that encrypts a function's environment variables; None: it needs none."""
    config = (lambda_svc._functions.get(name) or {}).get("config", {})
    key = str(config.get("KMSKeyArn") or "")
    if not key or not config.get("Environment", {}).get("Variables"):
        return None
    with scope(account_of(key)):
        return keys.state_of(key)


def _may_log(context: Context, config: Mapping[str, Any]) -> bool:
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    account = config["FunctionArn"].split(":")[4]
    stream = f"arn:aws:logs:{context.region}:{account}:log-group:{group}:log-stream:"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    if group not in logs._log_groups:
        actions.insert(0, "logs:CreateLogGroup")
    try:
        for action in actions:
            context.authorize(config["Role"], action, stream)
    except AwsError as error:
        # As on AWS, the function runs on and its output is lost.
        lambda_svc.logger.info("the log of %s is lost: %s", config["FunctionName"], error.message)
        return False
    return True
