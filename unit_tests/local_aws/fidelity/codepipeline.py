"""Wrong calls of CodePipeline."""

import time
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

INVALID = "ValidationException"
ARN = "arn:aws:codepipeline:us-east-1:123456789012"
NOBODY = "00000000-0000-0000-0000-000000000000"
NAME = {"pipelineName": "waiting"}
APPROVAL = {**NAME, "stageName": "Approval"}
RESULT = {"summary": "", "status": "Approved"}
SOURCE = {
    "name": "Source",
    "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeCommit", "version": "1"},
    "configuration": {"RepositoryName": "source", "BranchName": "main", "PollForSourceChanges": "false"},
    "outputArtifacts": [{"name": "Source"}],
}
APPROVE = {
    "name": "Approve",
    "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
}
STAGES = [{"name": "Source", "actions": [SOURCE]}, {"name": "Approval", "actions": [APPROVE]}]
SECONDS = 20.0


def pipeline(name: str = "new", **changes: Any) -> dict[str, Any]:
    """Return the declaration of a pipeline that waits for an approval."""
    store = {"type": "S3", "location": "pipeline-artifacts"}
    return {
        "name": name,
        "roleArn": "$role",
        "artifactStore": store,
        "pipelineType": "V2",
        "stages": STAGES,
        **changes,
    }


def prepare(account: Account) -> Mapping[str, Any]:
    """Create pipelines: one waits for an approval, one has ended, and one is stopping."""
    commits = account.client("codecommit")
    commits.create_repository(repositoryName="source")
    commits.put_file(repositoryName="source", branchName="main", filePath="a", fileContent=b"a")
    account.client("s3").create_bucket(Bucket="pipeline-artifacts")
    client = account.client("codepipeline")
    for name in ("waiting", "ended", "stopping"):
        client.create_pipeline(pipeline=pipeline(name, roleArn=account.role, executionMode="QUEUED"))
    token, values = "", {}
    for name in ("waiting", "ended", "stopping"):
        token, values[name] = _approval(client, name)
        if name == "ended":
            values["used_token"] = token
            answer = {"stageName": "Approval", "actionName": "Approve", "result": RESULT}
            client.put_approval_result(pipelineName=name, token=token, **answer)
    client.stop_pipeline_execution(pipelineName="stopping", pipelineExecutionId=values["stopping"])
    _wait(lambda: _status(client, "ended", values["ended"]) == "Succeeded")
    return {**values, "role": account.role}


def _approval(client: Any, name: str) -> tuple[str, str]:
    """Wait for the approval of a pipeline; return its token and the execution's id."""

    def latest() -> dict[str, Any]:
        stage: dict[str, Any] = client.get_pipeline_state(name=name)["stageStates"][1]
        return stage

    _wait(lambda: "token" in latest()["actionStates"][0].get("latestExecution", {}))
    stage = latest()
    token = stage["actionStates"][0]["latestExecution"]["token"]
    return token, stage["latestExecution"]["pipelineExecutionId"]


def _status(client: Any, name: str, execution: str) -> str:
    found = client.get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
    return str(found["pipelineExecution"]["status"])


def _wait(condition: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


VALID: Mapping[str, Mapping[str, Any]] = {
    "CreatePipeline": {"pipeline": pipeline()},
    "DeletePipeline": {"name": "waiting"},
    "DisableStageTransition": {**APPROVAL, "transitionType": "Inbound", "reason": "r"},
    "EnableStageTransition": {**APPROVAL, "transitionType": "Inbound"},
    "GetPipeline": {"name": "waiting"},
    "GetPipelineExecution": {**NAME, "pipelineExecutionId": "$waiting"},
    "GetPipelineState": {"name": "waiting"},
    "ListActionExecutions": NAME,
    "ListPipelineExecutions": NAME,
    "ListPipelines": {},
    "ListRuleExecutions": NAME,
    "ListTagsForResource": {"resourceArn": f"{ARN}:waiting"},
    "OverrideStageCondition": {
        **APPROVAL,
        "pipelineExecutionId": "$waiting",
        "conditionType": "BEFORE_ENTRY",
    },
    "PutApprovalResult": {
        **APPROVAL,
        "actionName": "Approve",
        "result": RESULT,
        "token": "11111111-1111-1111-1111-111111111111",
    },
    "RetryStageExecution": {**APPROVAL, "pipelineExecutionId": "$waiting", "retryMode": "FAILED_ACTIONS"},
    "RollbackStage": {**APPROVAL, "targetPipelineExecutionId": "$waiting"},
    "StartPipelineExecution": {"name": "waiting"},
    "StopPipelineExecution": {**NAME, "pipelineExecutionId": "$waiting"},
    "TagResource": {"resourceArn": f"{ARN}:waiting", "tags": [{"key": "k", "value": "v"}]},
    "UntagResource": {"resourceArn": f"{ARN}:waiting", "tagKeys": ["k"]},
    "UpdatePipeline": {"pipeline": pipeline("waiting")},
}
WRONG = (
    Wrong("name", "bad name", INVALID),
    Wrong("name", "nope", "PipelineNotFoundException"),
    Wrong("pipelineName", "bad name", INVALID),
    Wrong("pipelineName", "nope", "PipelineNotFoundException"),
    Wrong("stageName", "nope", "StageNotFoundException"),
    Wrong("actionName", "nope", "ActionNotFoundException"),
    Wrong("version", 99, "PipelineVersionNotFoundException"),
    Wrong("pipelineExecutionId", NOBODY, "PipelineExecutionNotFoundException"),
    Wrong("pipelineExecutionId", NOBODY, "NotLatestPipelineExecutionException"),
    Wrong("pipelineExecutionId", NOBODY, "PipelineExecutionNotStoppableException"),
    Wrong("targetPipelineExecutionId", NOBODY, "PipelineExecutionNotFoundException"),
    Wrong("filter", {"pipelineExecutionId": NOBODY}, "PipelineExecutionNotFoundException"),
    Wrong("token", "11111111-1111-1111-1111-111111111111", "InvalidApprovalTokenException"),
    Wrong("nextToken", "zz", "InvalidNextTokenException"),
    Wrong("maxResults", 0, INVALID),
    Wrong("resourceArn", "zz", INVALID),
    Wrong("resourceArn", "arn:aws:codepipeline:us-east-1:999999999999:waiting", "InvalidArnException"),
    Wrong("resourceArn", f"{ARN}:nope", "ResourceNotFoundException"),
    Wrong("tags", [{"key": f"k{n}", "value": "v"} for n in range(51)], "TooManyTagsException"),
    Wrong("tags", [{"key": "aws:k", "value": "v"}], "InvalidTagsException"),
    Wrong("tagKeys", ["aws:k"], "InvalidTagsException"),
    Wrong("pipeline", pipeline("bad name"), INVALID),
    Wrong("pipeline", pipeline("waiting"), "PipelineNameInUseException"),
)
OF_PIPELINE = (
    (STAGES[:1], "InvalidStructureException"),
    ([STAGES[0], {"name": "Approval", "actions": []}], "InvalidStageDeclarationException"),
    (
        [STAGES[0], {**STAGES[1], "actions": [{**APPROVE, "configuration": {"No": "x"}}]}],
        "InvalidActionDeclarationException",
    ),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("OverrideStageCondition", {}, "ConditionNotOverridableException"),
    *(
        (operation, {"pipeline": pipeline(name, stages=stages)}, code)
        for operation, name in (("CreatePipeline", "new"), ("UpdatePipeline", "waiting"))
        for stages, code in OF_PIPELINE
    ),
    (
        "PutApprovalResult",
        {"pipelineName": "ended", "token": "$used_token"},
        "ApprovalAlreadyCompletedException",
    ),
    (
        "RetryStageExecution",
        {"pipelineName": "ended", "pipelineExecutionId": "$ended"},
        "StageNotRetryableException",
    ),
    ("RollbackStage", {"stageName": "Source"}, "UnableToRollbackStageException"),
    (
        "StopPipelineExecution",
        {"pipelineName": "stopping", "pipelineExecutionId": "$stopping"},
        "DuplicatedStopRequestException",
    ),
)
SUITE = Suite("codepipeline", tuple(VALID), VALID, WRONG, CHANGES, prepare)
