"""Custom resources fail when their function does, and a function's process ends with the function."""

from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require

custom_resource = require(
    "services.cloudformation.custom_resource", "deliver_response", "invoke_custom_resource"
)
lambda_svc = require("services.lambda_svc", "_execute_function_with_config_scope", "invalidate_worker")


def install() -> None:
    """Answer for a custom resource's function that ended in an error and so answers nobody."""
    original = lambda_svc._execute_function_with_config_scope

    def execute(function: dict[str, Any], event: Any) -> Any:
        result = original(function, event)
        url = event.get("ResponseURL", "") if isinstance(event, dict) else ""
        if url and isinstance(result, dict) and result.get("error"):
            # On AWS the stack would wait an hour for the answer that cannot come.
            reason = f"the function of the custom resource failed: {result.get('body')}"
            custom_resource.deliver_response(url.rpartition("/")[2], {"Status": "FAILED", "Reason": reason})
        return result

    lambda_svc._execute_function_with_config_scope = execute
    handlers = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    delete = handlers["AWS::Lambda::Function"]["delete"]

    def delete_with_process(physical_id: str, props: Mapping[str, Any]) -> None:
        delete(physical_id, props)
        lambda_svc.invalidate_worker(physical_id)

    handlers["AWS::Lambda::Function"] = {
        **handlers["AWS::Lambda::Function"],
        "delete": delete_with_process,
    }
