"""The manual approval action: waits for PutApprovalResult, tells a topic, times out by the clock."""

import json
from datetime import timedelta

from botocore.exceptions import ClientError

from local_aws.core.api import now
from local_aws.services.codepipeline.action_context import ActionFailedError, Work, words
from local_aws.services.codepipeline.records import new_id

LOOK_EVERY = 0.1
LONGEST_SUBJECT = 100


def run_approval(work: Work) -> None:
    """Wait until the request is approved; a rejection and the timeout (7 days by default) are failures."""
    # Known after a restart: whoever was asked answers to the same token.
    if work.run.token is None:
        work.note(token=new_id(), summary=work.configuration.get("CustomData"))
        if "NotificationArn" in work.configuration:
            _notify(work)
    while work.run.approval is None:
        work.pause(LOOK_EVERY, "The approval request expired before it was answered")
    result = work.run.approval
    work.note(summary=result["summary"] or None)
    if result["status"] == "Rejected":
        raise ActionFailedError("JobFailed", result["summary"] or "Rejected")


def _notify(work: Work) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html
    pipeline, run, region = work.execution.pipeline.name, work.run, work.context.region
    console = f"https://console.aws.amazon.com/codepipeline/home?region={region}#/view/{pipeline}"
    expires = now() + timedelta(minutes=run.action.timeout_minutes)
    approval = {
        "pipelineName": pipeline,
        "stageName": run.stage,
        "actionName": run.action.name,
        "token": run.token,
        "expires": expires.strftime("%Y-%m-%dT%H:%MZ"),
        "externalEntityLink": work.configuration.get("ExternalEntityLink"),
        "approvalReviewLink": f"{console}/{run.stage}/{run.action.name}/approve/{run.token}",
        "customData": work.configuration.get("CustomData"),
    }
    message = {"region": region, "consoleLink": console, "approval": approval}
    subject = f"APPROVAL NEEDED: AWS CodePipeline {pipeline} for action {run.action.name}"
    try:
        work.client("sns").publish(
            TopicArn=work.configuration["NotificationArn"],
            Subject=subject[:LONGEST_SUBJECT],
            Message=json.dumps(message),
        )
    except ClientError as error:
        raise ActionFailedError(
            "ConfigurationError", f"The approval notification could not be sent: {words(error)}"
        ) from error
