"""Gives Lambda functions the credentials of their roles, and writes a function's log only if its role may."""

from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.core.context import Context, ServiceRole, Source
from local_aws.ministack.compat import require

lambda_runtime = require("core.lambda_runtime", "execution_credentials")
lambda_svc = require("services.lambda_svc", "_emit_lambda_logs", "execution_credentials")
logs = require("services.cloudwatch_logs", "_log_groups")


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
