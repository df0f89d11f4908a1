"""Limits an account to ten resource policies of CloudWatch Logs in a region, with AWS's words (pitfall A5).

The policy of a log group does not count:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
"""

from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.cloudformation import Properties
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import Created, patch_handler

logs = require(
    "services.cloudwatch_logs", "_put_resource_policy", "_resource_policies", "error_response_json"
)

MOST_POLICIES = 10


def patch_log_policies(context: Context) -> None:
    """Refuse the eleventh policy, of the API and of CloudFormation."""
    original = logs._put_resource_policy

    def put(request: dict[str, Any]) -> Any:
        taken = logs._resource_policies
        is_new = not request.get("resourceArn") and request.get("policyName") not in taken
        if is_new and len(taken) >= MOST_POLICIES:
            return logs.error_response_json("LimitExceededException", "Resource limit exceeded.", 400)
        return original(request)

    def create(_logical_id: str, props: Properties, _stack: str) -> Created:
        name = str(props["PolicyName"])
        try:
            context.client("logs").put_resource_policy(
                policyName=name, policyDocument=str(props["PolicyDocument"])
            )
        except ClientError as error:
            # https://github.com/aws/copilot-cli/issues/5743
            message = error.response["Error"]["Message"]
            raise ValueError(f"{message} (Service: CloudWatchLogs, Status Code: 400)") from error
        return name, {}

    logs._put_resource_policy = put
    patch_handler("AWS::Logs::ResourcePolicy", create=create)
