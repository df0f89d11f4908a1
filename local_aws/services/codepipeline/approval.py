"""The manual approval action: sends a notification and waits for PutApprovalResult.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ManualApproval.html
"""

import json
from datetime import timedelta

from botocore.exceptions import ClientError

from local_aws.core.api import now
from local_aws.services.codepipeline.action_context import ActionContext
from local_aws.services.codepipeline.errors import ActionFailedError, error_message

POLL_SECONDS = 0.1
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
MAX_SUBJECT_LENGTH = 100


def run_approval(action: ActionContext) -> None:
    """Wait until the request is approved; a rejection and the timeout (7 days by default) fail the action."""
    # After a restart of local_aws the token is already sent: the answer will use it.
    if not action.run.resumed and "NotificationArn" in action.configuration:
        _notify(action)
    while action.run.approval is None:
        action.pause(POLL_SECONDS, "The approval request expired before it was answered")
    result = action.run.approval
    action.update(summary=result["summary"] or None)
    if result["status"] == "Rejected":
        raise ActionFailedError("JobFailed", result["summary"] or "Rejected")


def _notify(action: ActionContext) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html
    pipeline, run, region = action.execution.declaration.name, action.run, action.context.region
    console = f"https://console.aws.amazon.com/codepipeline/home?region={region}#/view/{pipeline}"
    expires = now() + timedelta(minutes=run.action.timeout_minutes)
    approval = {
        "pipelineName": pipeline,
        "stageName": run.stage,
        "actionName": run.action.name,
        "token": run.token,
        "expires": expires.strftime("%Y-%m-%dT%H:%MZ"),
        "externalEntityLink": action.configuration.get("ExternalEntityLink"),
        "approvalReviewLink": f"{console}/{run.stage}/{run.action.name}/approve/{run.token}",
        "customData": action.configuration.get("CustomData"),
    }
    message = {"region": region, "consoleLink": console, "approval": approval}
    subject = f"APPROVAL NEEDED: AWS CodePipeline {pipeline} for action {run.action.name}"
    try:
        action.client("sns").publish(
            TopicArn=action.configuration["NotificationArn"],
            Subject=subject[:MAX_SUBJECT_LENGTH],
            Message=json.dumps(message),
        )
    except ClientError as error:
        raise ActionFailedError(
            "ConfigurationError", f"The approval notification could not be sent: {error_message(error)}"
        ) from error
