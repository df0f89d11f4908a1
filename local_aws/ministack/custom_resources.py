"""Fails a custom resource whose function fails, and ends the process of a deleted function."""

from typing import Any

from local_aws.core.cloudformation import Properties
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import patch_handler, resource_handlers

custom_resource = require(
    "services.cloudformation.custom_resource", "deliver_response", "invoke_custom_resource"
)
lambda_svc = require("services.lambda_svc", "_execute_function_with_config_scope", "invalidate_worker")


def patch_custom_resources() -> None:
    """Send the FAILED response of a function that ended with an error, and stop processes of functions."""
    original = lambda_svc._execute_function_with_config_scope

    def execute(function: dict[str, Any], event: Any) -> Any:
        result = original(function, event)
        url = event.get("ResponseURL", "") if isinstance(event, dict) else ""
        if url and isinstance(result, dict) and result.get("error"):
            # On AWS the stack waits an hour for a response that never comes.
            reason = f"the function of the custom resource failed: {result.get('body')}"
            custom_resource.deliver_response(url.rpartition("/")[2], {"Status": "FAILED", "Reason": reason})
        return result

    lambda_svc._execute_function_with_config_scope = execute
    delete = resource_handlers()["AWS::Lambda::Function"]["delete"]

    def delete_with_process(physical_id: str, props: Properties) -> None:
        delete(physical_id, props)
        lambda_svc.invalidate_worker(physical_id)

    patch_handler("AWS::Lambda::Function", delete=delete_with_process)
