"""Fails the operations on stacks that an earlier local_aws did not finish.

CloudFormation itself is never interrupted. The closest state is that of a failed operation: the stack can be
deleted.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from typing import Any

from local_aws.ministack import nested_stacks
from local_aws.ministack.compat import require

cloudformation = require("services.cloudformation", "_stacks", "_stack_events")
engine = require("services.cloudformation.engine", "_resolve_refs")
stacks = require("services.cloudformation.stacks", "_add_event")
responses = require("core.responses", "now_iso", "request_scope")

IN_PROGRESS = "_IN_PROGRESS"
# No operation runs: a change set waits for its execution.
WAITING = "REVIEW_IN_PROGRESS"
REASON = "local_aws ended during the operation"
# A resource may exist although its stack has no record of its creation. The deletion of the stack finds it by
# these names, and ignores one that does not exist.
NAMES = {
    "AWS::CodeBuild::Project": "Name",
    "AWS::CodePipeline::Pipeline": "Name",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SSM::Parameter": "Name",
}


def resume() -> None:
    """Fail every operation on a stack that was in progress."""
    found = list(cloudformation._stacks._data.items())
    for (account, region, name), stack in found:
        status = str(stack.get("StackStatus", ""))
        if status.endswith(IN_PROGRESS) and status != WAITING:
            with responses.request_scope(account, region):
                if status == "CREATE_IN_PROGRESS":
                    _adopt_incomplete_resources(name, stack)
                _fail(name, stack, status)
    by_name = dict(found)
    for (account, region, _), stack in found:
        parent = by_name.get((account, region, stack.get("_parent_stack_name")))
        if parent is not None and parent.get("StackStatusReason") == REASON:
            nested_stacks.adopt(parent, stack)


def _adopt_incomplete_resources(name: str, stack: dict[str, Any]) -> None:
    """Add the named resources that were being created to the stack."""
    status = {
        event["LogicalResourceId"]: event["ResourceStatus"]
        for event in cloudformation._stack_events.get(stack["StackId"], [])
    }
    resources: dict[str, Any] = stack["_resources"]
    for logical_id, definition in (stack.get("_template") or {}).get("Resources", {}).items():
        incomplete = status.get(logical_id) == "CREATE_IN_PROGRESS" and logical_id not in resources
        kind = definition["Type"]
        if not incomplete or kind not in NAMES:
            continue
        template = stack["_template"]
        properties = engine._resolve_refs(
            definition.get("Properties", {}),
            resources,
            stack.get("_resolved_params", {}),
            stack.get("_conditions", {}),
            template.get("Mappings", {}),
            name,
            stack["StackId"],
        )
        if physical_id := properties.get(NAMES[kind]):
            resources[logical_id] = {
                "PhysicalResourceId": physical_id,
                "ResourceType": kind,
                "ResourceStatus": "CREATE_FAILED",
                "ResourceStatusReason": REASON,
                "LogicalResourceId": logical_id,
                "Properties": properties,
                "Attributes": {},
                "Timestamp": responses.now_iso(),
            }


def _fail(name: str, stack: dict[str, Any], status: str) -> None:
    # UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: only replaced resources remain to be deleted.
    failed = status.removesuffix(IN_PROGRESS).removesuffix("_COMPLETE_CLEANUP") + "_FAILED"
    stack.update(StackStatus=failed, StackStatusReason=REASON)
    stacks._add_event(stack["StackId"], name, name, nested_stacks.TYPE, failed, REASON, stack["StackId"])
