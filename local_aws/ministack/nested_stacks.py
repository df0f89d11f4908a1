"""Runs nested stacks on the engine of root stacks.

MiniStack has a simpler engine for them (`_cfn_nested_stack_deploy`). It ignores failed deletes, loses the
attributes of unchanged resources on update, and does not roll back.
"""

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

from local_aws.core.cloudformation import Properties
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import Attributes, Created, resource_handlers

cloudformation = require("services.cloudformation", "_stacks", "_stack_events")
engine = require(
    "services.cloudformation.engine",
    "_evaluate_conditions",
    "_parse_template",
    "_resolve_parameters",
    "validate_template_support",
)
helpers = require("services.cloudformation.helpers", "_resolve_template")
provisioners = require("services.cloudformation.provisioners", "_check_nested_stack_capabilities")
stacks = require(
    "services.cloudformation.stacks",
    "_add_event",
    "_delete_stack_async",
    "_deploy_stack_async",
    "_roll_back_operation",
)
responses = require("core.responses", "get_account_id", "get_region", "new_uuid", "now_iso")

TYPE = "AWS::CloudFormation::Stack"
# The part of a stack that a rollback restores.
RESTORED = ("_resources", "_template", "_resolved_params", "_conditions", "Parameters", "Tags", "Outputs")
# MiniStack's record of a stack.
Stack = dict[str, Any]


def patch_nested_stacks() -> None:
    """Replace MiniStack's engine for nested stacks."""
    resource_handlers()[TYPE] = {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
    }
    original = stacks._roll_back_operation

    async def roll_back(name: str, stack_id: str, stack: Stack, *rest: Any, **more: Any) -> None:
        await original(name, stack_id, stack, *rest, **more)
        _report_remaining_children(name, stack_id, stack)

    stacks._roll_back_operation = roll_back


def create(logical_id: str, props: Properties, parent_name: str) -> Created:
    """Create a child stack. A failed one is rolled back and deleted, unless the parent disables rollback."""
    parent = cloudformation._stacks[parent_name]
    name = f"{parent_name}-{logical_id}-{responses.new_uuid()[:12].replace('-', '').upper()}"
    account, region = responses.get_account_id(), responses.get_region()
    stack_id = f"arn:aws:cloudformation:{region}:{account}:stack/{name}/{responses.new_uuid()}"
    child = {
        "StackName": name,
        "StackId": stack_id,
        "CreationTime": responses.now_iso(),
        "Outputs": [],
        "DisableRollback": bool(parent.get("DisableRollback")),
        "_resources": {},
        "_parent_stack_name": parent_name,
        "_logical_id": logical_id,
        "_region": region,
        "RootId": parent.get("RootId") or parent["StackId"],
        "ParentId": parent["StackId"],
        "Capabilities": list(parent.get("Capabilities", [])),
    }
    template, values = _prepare(child, props)
    cloudformation._stacks[name] = child
    cloudformation._stack_events.setdefault(stack_id, [])
    _deploy(child, template, values, previous=None)
    if child["StackStatus"] != "CREATE_COMPLETE":
        reason = _reason(child, "create")
        if child["StackStatus"] == "ROLLBACK_COMPLETE":
            asyncio.run(stacks._delete_stack_async(name, stack_id))
        if child["StackStatus"] != "DELETE_COMPLETE":
            _keep_in_parent(parent, child, props)
        raise ValueError(f"Embedded stack {stack_id} was not successfully created: {reason}")
    return stack_id, _outputs(child)


def update(physical_id: str, old: Properties, new: Properties, parent_name: str, logical_id: str) -> Created:
    """Update a child stack. If it fails, it rolls itself back."""
    child = _find(physical_id)
    if child is None:
        raise ValueError(f"Stack [{physical_id}] does not exist")
    if not child["StackStatus"].endswith("_COMPLETE"):
        raise ValueError(f"Stack:{physical_id} is in {child['StackStatus']} state and can not be updated.")
    previous = {key: copy.deepcopy(child.get(key)) for key in RESTORED}
    previous["_template_body"] = child.get("_template_body", "")
    template, values = _prepare(child, new)
    _deploy(child, template, values, previous=previous)
    if child["StackStatus"] != "UPDATE_COMPLETE":
        reason = _reason(child, "update")
        raise ValueError(f"Embedded stack {physical_id} was not successfully updated: {reason}")
    return physical_id, _outputs(child)


def delete(physical_id: str, props: Properties) -> None:
    """Delete a child stack and its resources. Raise `ValueError` if one of them remains."""
    child = _find(physical_id)
    if child is None or child["StackStatus"] == "DELETE_COMPLETE":
        return
    asyncio.run(stacks._delete_stack_async(child["StackName"], child["StackId"]))
    if child["StackStatus"] != "DELETE_COMPLETE":
        reason = _reason(child, "delete")
        raise ValueError(f"Embedded stack {physical_id} was not successfully deleted: {reason}")


def _prepare(child: Stack, props: Properties) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the template and its parameters, and write both into the stack."""
    body = _read_template(props.get("TemplateURL"))
    template = engine._parse_template(body)
    given = [{"Key": key, "Value": str(value)} for key, value in (props.get("Parameters") or {}).items()]
    values = engine._resolve_parameters(template, given)
    conditions = engine._evaluate_conditions(template, values)
    engine.validate_template_support(template, conditions, params=values)
    provisioners._check_nested_stack_capabilities(child["_parent_stack_name"], template)
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in props.get("Tags") or []]
    child.update(
        {
            "Description": template.get("Description", ""),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value["Value"], "NoEcho": value["NoEcho"]}
                for key, value in values.items()
            ],
            "Tags": [tag for tag in tags if not tag["Key"].startswith("aws:")],
            "LastUpdatedTime": responses.now_iso(),
            "_template": template,
            "_template_body": body,
            "_resolved_params": values,
            "_conditions": conditions,
        }
    )
    return template, values


def _read_template(url: str | None) -> str:
    body, error = helpers._resolve_template({"TemplateURL": [url]})
    if error is not None or not body:
        raise ValueError(f"S3 error: the template {url} cannot be read")
    return str(body)


def _deploy(child: Stack, template: dict[str, Any], values: dict[str, Any], previous: Stack | None) -> None:
    operation = "CREATE" if previous is None else "UPDATE"
    name, stack_id = child["StackName"], child["StackId"]
    child["StackStatus"] = f"{operation}_IN_PROGRESS"
    child["StackStatusReason"] = ""
    stacks._add_event(stack_id, name, name, TYPE, child["StackStatus"], physical_id=stack_id)
    # A handler runs on a worker thread, which has no event loop yet.
    asyncio.run(
        stacks._deploy_stack_async(
            name,
            stack_id,
            template,
            values,
            child["DisableRollback"],
            child["Tags"],
            is_update=previous is not None,
            previous_stack=previous,
        )
    )


def _find(physical_id: str) -> Stack | None:
    for stack in list(cloudformation._stacks.values()):
        if physical_id in (stack.get("StackId"), stack.get("StackName")):
            found: Stack = stack
            return found
    return None


def _outputs(child: Mapping[str, Any]) -> Attributes:
    return {f"Outputs.{output['OutputKey']}": output["OutputValue"] for output in child["Outputs"]}


def _reason(child: Mapping[str, Any], verb: str) -> str:
    """Return which resources failed in the last operation. The child's events say why (pitfall K6)."""
    failed = _failed_resources(child, f"{verb.upper()}_IN_PROGRESS")
    if not failed:
        return str(child.get("StackStatusReason") or child["StackStatus"])
    return f"The following resource(s) failed to {verb}: [{', '.join(failed)}]."


def _failed_resources(child: Mapping[str, Any], start: str) -> list[str]:
    """Return the resources that failed since the stack's last event of status `start`, in order."""
    failed: dict[str, None] = {}
    for event in cloudformation._stack_events.get(child["StackId"], []):
        of_stack = event["LogicalResourceId"] == child["StackName"]
        if of_stack and event["ResourceStatus"] == start:
            failed.clear()
        elif not of_stack and event["ResourceStatus"].endswith("_FAILED"):
            failed[event["LogicalResourceId"]] = None
    return list(failed)


def adopt(parent: Stack, child: Mapping[str, Any]) -> None:
    """Add a child to its parent's resources, if its creation was interrupted before."""
    if child["StackStatus"] != "DELETE_COMPLETE" and child["_logical_id"] not in parent["_resources"]:
        _keep_in_parent(parent, child, {})


def _keep_in_parent(parent: Stack, child: Mapping[str, Any], props: Properties) -> None:
    """Add a failed child to its parent's resources, so that the parent's deletion deletes it."""
    logical_id = child["_logical_id"]
    parent["_resources"][logical_id] = {
        "PhysicalResourceId": child["StackId"],
        "ResourceType": TYPE,
        "ResourceStatus": "CREATE_FAILED",
        "ResourceStatusReason": child.get("StackStatusReason", ""),
        "LogicalResourceId": logical_id,
        "Properties": copy.deepcopy(dict(props)),
        "Attributes": {},
        "Timestamp": responses.now_iso(),
    }


def _report_remaining_children(name: str, stack_id: str, stack: Stack) -> None:
    remaining = [
        logical_id
        for logical_id, resource in stack.get("_resources", {}).items()
        if resource.get("ResourceType") == TYPE and resource.get("ResourceStatus") == "CREATE_FAILED"
    ]
    if not remaining or not stack["StackStatus"].endswith("ROLLBACK_COMPLETE"):
        return
    stack["StackStatus"] = stack["StackStatus"].replace("COMPLETE", "FAILED")
    stack["StackStatusReason"] = (
        f"The following resource(s) failed to delete: [{', '.join(sorted(remaining))}]."
    )
    stacks._add_event(stack_id, name, name, TYPE, stack["StackStatus"], stack["StackStatusReason"], stack_id)
