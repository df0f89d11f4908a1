"""AWS::Logs::LogGroup, deleted by the API: MiniStack's handler walks records while others write some."""

from typing import Any

from local_aws.core.context import Context
from local_aws.ministack.compat import require


def install(context: Context) -> None:
    """Let the gateway's thread, which writes logs, delete the groups too; one that is gone is no error."""
    handlers = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS

    def delete(physical_id: str, _props: Any) -> None:
        logs = context.client("logs")
        try:
            logs.delete_log_group(logGroupName=physical_id)
        except logs.exceptions.ResourceNotFoundException:
            return

    handlers["AWS::Logs::LogGroup"] = {**handlers["AWS::Logs::LogGroup"], "delete": delete}
