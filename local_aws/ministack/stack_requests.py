"""Checks the requests of CloudFormation's operations that begin a deployment or prepare one."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.ministack.compat import require

cloudformation = require("services.cloudformation", "_change_sets", "_stacks")
handlers = require("services.cloudformation.handlers", "_ACTION_HANDLERS", "_capabilities_enforced", "_p")
helpers = require("services.cloudformation.helpers", "_error")
engine = require("services.cloudformation.engine", "_evaluate_conditions", "_topological_sort")
provisioners = require("services.cloudformation.provisioners", "_check_nested_stack_capabilities")
responses = require("core.responses", "new_uuid")
stacks = require("services.cloudformation.stacks", "_operation_event", "_validation_errors")

VALIDATING = ("CreateChangeSet", "CreateStack", "UpdateStack", "ValidateTemplate")
STACK_POLICY = re.compile(r"StackPolicy(DuringUpdate)?(Body|URL)")
# The words of CreateChangeSet: its code for a change set that exists is AlreadyExistsException.
EXISTS = "Stack [{}] already exists and cannot be created again with the changeSet [{}]."
CHANGE_SET_ID = re.compile(rb"<Id>([^<]+)</Id>")
OURS = re.compile(rb"<Code>\w+</Code>(<Message>local_aws )")
# https://github.com/aws/aws-cdk-cli/issues/1000
FAILED = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::{}]. To troubleshoot Early Validation "
    "errors, use the DescribeEvents API for detailed failure information."
)
HOOKS = {"PROPERTY_VALIDATION": "PropertyValidation", "NAME_CONFLICT_VALIDATION": "ResourceExistenceCheck"}

Response = tuple[int, dict[str, str], bytes]
Parameters = Mapping[str, Any]
Operation = Callable[[Parameters], Response]


def patch_stack_requests() -> None:
    """Ask for the capabilities, refuse stack policies by name, and validate each change set."""
    handlers._capabilities_enforced = lambda: True
    operations = handlers._ACTION_HANDLERS
    operations["CreateChangeSet"] = _validated(operations["CreateChangeSet"])
    operations["DescribeEvents"] = _with_change_sets(operations["DescribeEvents"])
    for name in (*VALIDATING, "SetStackPolicy"):
        operations[name] = _refusing(name, operations[name])


def _refusing(name: str, operation: Operation) -> Operation:
    def respond(params: Parameters) -> Response:
        if any(STACK_POLICY.fullmatch(key) for key in params):
            message = f"local_aws does not enforce stack policies: {name} with a stack policy is refused"
            return _unsupported(helpers._error("UnsupportedOperation", message))
        return _unsupported(operation(params))

    return respond


def _unsupported(response: Response) -> Response:
    """Give an error in our own words the code UnsupportedOperation, which is none of AWS's."""
    status, headers, body = response
    replaced = OURS.sub(rb"<Code>UnsupportedOperation</Code>\1", body)
    return (501, headers, replaced) if status == 400 and replaced != body else response


def _validated(operation: Operation) -> Operation:
    def create(params: Parameters) -> Response:
        name, label = handlers._p(params, "StackName"), handlers._p(params, "ChangeSetName")
        stack = cloudformation._stacks.get(name) or {}
        is_new = stack.get("StackStatus") in (None, "REVIEW_IN_PROGRESS", "DELETE_COMPLETE")
        if handlers._p(params, "ChangeSetType") == "CREATE" and not is_new:
            return helpers._error("ValidationError", EXISTS.format(name, label))  # type: ignore[no-any-return]
        status, headers, body = operation(params)
        found = CHANGE_SET_ID.search(body)
        if status == 200 and found:
            change_set = cloudformation._change_sets[found[1].decode()]
            if change_set["Status"] == "CREATE_COMPLETE" and not change_set["_disable_validation"]:
                _validate(change_set)
        return status, headers, body

    return create


def _validate(change_set: dict[str, Any]) -> None:
    """Fail a change set whose properties violate the schemas.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
    """
    template, values = change_set["_template"], change_set["_resolved_params"]
    resources = template.get("Resources") or {}
    conditions = engine._evaluate_conditions(template, values)
    stack = cloudformation._stacks[change_set["StackName"]]
    owned = {each.get("PhysicalResourceId") for each in stack.get("_resources", {}).values()}
    errors = stacks._validation_errors(
        resources,
        engine._topological_sort(resources, conditions),
        values,
        conditions,
        template.get("Mappings", {}),
        change_set["StackName"],
        change_set["StackId"],
        frozenset(owned),
    )
    if not errors:
        return
    hooks = sorted({HOOKS[validation] for _, _, validation, _, _ in errors})
    change_set.update(
        Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=FAILED.format(", ".join(hooks))
    )
    operation_id = responses.new_uuid()
    change_set["_operation_events"] = [_event(change_set["StackId"], operation_id, *each) for each in errors]


def _event(
    stack_id: str, operation_id: str, logical_id: str, resource_type: str, name: str, path: str, reason: str
) -> Any:
    return stacks._operation_event(
        stack_id,
        operation_id,
        "VALIDATION_ERROR",
        "CREATE_CHANGESET",
        LogicalResourceId=logical_id,
        ResourceType=resource_type,
        ValidationFailureMode="FAIL",
        ValidationName=name,
        ValidationStatus="FAILED",
        ValidationStatusReason=reason,
        ValidationPath=path,
    )


def _with_change_sets(operation: Operation) -> Operation:
    """Answer DescribeEvents of a change set, whose events MiniStack does not record."""

    def describe(params: Parameters) -> Response:
        change_set = cloudformation._change_sets.get(handlers._p(params, "ChangeSetName"))
        if change_set is None:
            return operation(params)
        # MiniStack finds the events of a stack: give it those of the change set for the time of this call.
        stack = cloudformation._stacks[change_set["StackName"]]
        kept = stack.get("_operation_events")
        stack["_operation_events"] = change_set.get("_operation_events", [])
        try:
            return operation({"StackName": [change_set["StackName"]], **_paging(params)})
        finally:
            stack["_operation_events"] = kept

    return describe


def _paging(params: Parameters) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key not in ("ChangeSetName", "StackName")}
