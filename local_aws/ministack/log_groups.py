"""Deletes AWS::Logs::LogGroup by the API: MiniStack's handler reads records that other threads write."""

from local_aws.core.cloudformation import Properties
from local_aws.core.context import Context
from local_aws.ministack.handlers import patch_handler


def patch_log_group_deletion(context: Context) -> None:
    """Delete groups on the gateway's thread, which also writes logs. A missing group is no error."""

    def delete(physical_id: str, _props: Properties) -> None:
        logs = context.client("logs")
        try:
            logs.delete_log_group(logGroupName=physical_id)
        except logs.exceptions.ResourceNotFoundException:
            return

    patch_handler("AWS::Logs::LogGroup", delete=delete)
