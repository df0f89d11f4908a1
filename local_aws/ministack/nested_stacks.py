"""Nested stacks on the same engine as root stacks: strict deletes, real rollback, attributes kept on update.

MiniStack has a second, thinner engine for them, which swallows every failed delete, loses the attributes of
unchanged resources on update and rolls nothing back (research/emulators.md, section 4).
"""

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require

cloudformation = require("services.cloudformation", "_stacks", "_stack_events")
engine = require(
    "services.cloudformation.engine",
    "_evaluate_conditions",
    "_parse_template",
    "_resolve_parameters",
    "validate_template_support",
)
helpers = require("services.cloudformation.helpers", "_resolve_template")
stacks = require(
    "services.cloudformation.stacks",
    "_add_event",
    "_delete_stack_async",
    "_deploy_stack_async",
    "_roll_back_operation",
)
responses = require("core.responses", "get_account_id", "get_region", "new_uuid", "now_iso")

TYPE = "AWS::CloudFormation::Stack"
# The properties of the type that we act on; the tracker refuses any other.
ACTED_ON = ("TemplateURL", "Parameters", "Tags")
KEPT = ("_resources", "_template", "_resolved_params", "_conditions", "Parameters", "Tags", "Outputs")

Attributes = dict[str, Any]


def install() -> None:
    """Put this engine in place of MiniStack's for nested stacks."""
    provisioners = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
    provisioners._RESOURCE_HANDLERS[TYPE] = {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
    }
    original = stacks._roll_back_operation

    async def roll_back(name: str, stack_id: str, stack: dict[str, Any], *rest: Any, **more: Any) -> None:
        await original(name, stack_id, stack, *rest, **more)
        _report_left_children(name, stack_id, stack)

    stacks._roll_back_operation = roll_back


def create(logical_id: str, props: Mapping[str, Any], parent_name: str) -> tuple[str, Attributes]:
    """Create a child stack; when it fails it is rolled back and deleted, unless the parent keeps failures."""
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


def update(
    physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], parent_name: str, logical_id: str
) -> tuple[str, Attributes]:
    """Update a child stack; when it fails it has rolled itself back."""
    child = _find(physical_id)
    if child is None:
        raise ValueError(f"Stack [{physical_id}] does not exist")
    if not child["StackStatus"].endswith("_COMPLETE"):
        raise ValueError(f"Stack:{physical_id} is in {child['StackStatus']} state and can not be updated.")
    previous = {key: copy.deepcopy(child.get(key)) for key in KEPT}
    previous["_template_body"] = child.get("_template_body", "")
    template, values = _prepare(child, new)
    _deploy(child, template, values, previous=previous)
    if child["StackStatus"] != "UPDATE_COMPLETE":
        reason = _reason(child, "update")
        raise ValueError(f"Embedded stack {physical_id} was not successfully updated: {reason}")
    return physical_id, _outputs(child)


def delete(physical_id: str, props: Mapping[str, Any]) -> None:
    """Delete a child stack and all it holds; raise when any of it stays."""
    child = _find(physical_id)
    if child is None or child["StackStatus"] == "DELETE_COMPLETE":
        return
    asyncio.run(stacks._delete_stack_async(child["StackName"], child["StackId"]))
    if child["StackStatus"] != "DELETE_COMPLETE":
        reason = _reason(child, "delete")
        raise ValueError(f"Embedded stack {physical_id} was not successfully deleted: {reason}")


def _prepare(child: dict[str, Any], props: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the template and its parameters, and write both into the stack's record."""
    url = props.get("TemplateURL")
    body, refusal = helpers._resolve_template({"TemplateURL": [url]})
    if refusal is not None or not body:
        raise ValueError(f"S3 error: the template {url} cannot be read")
    template = engine._parse_template(body)
    given = [{"Key": key, "Value": str(value)} for key, value in (props.get("Parameters") or {}).items()]
    values = engine._resolve_parameters(template, given)
    conditions = engine._evaluate_conditions(template, values)
    engine.validate_template_support(template, conditions, params=values)
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


def _deploy(
    child: dict[str, Any], template: dict[str, Any], values: dict[str, Any], previous: dict[str, Any] | None
) -> None:
    operation = "CREATE" if previous is None else "UPDATE"
    name, stack_id = child["StackName"], child["StackId"]
    child["StackStatus"] = f"{operation}_IN_PROGRESS"
    child["StackStatusReason"] = ""
    stacks._add_event(stack_id, name, name, TYPE, child["StackStatus"], physical_id=stack_id)
    # A handler runs on a thread of its own, so this loop is the thread's own too.
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


def _find(physical_id: str) -> dict[str, Any] | None:
    for stack in list(cloudformation._stacks.values()):
        if physical_id in (stack.get("StackId"), stack.get("StackName")):
            found: dict[str, Any] = stack
            return found
    return None


def _outputs(child: Mapping[str, Any]) -> Attributes:
    return {f"Outputs.{output['OutputKey']}": output["OutputValue"] for output in child["Outputs"]}


def _reason(child: Mapping[str, Any], verb: str) -> str:
    """Say which resources failed in the last operation; why is in their own stack's events (pitfall K6)."""
    events = cloudformation._stack_events.get(child["StackId"], [])
    begun = max(
        (
            n
            for n, event in enumerate(events)
            if event["ResourceStatus"] == f"{verb.upper()}_IN_PROGRESS"
            and event["LogicalResourceId"] == child["StackName"]
        ),
        default=0,
    )
    failed = [
        event
        for event in events[begun:]
        if event["ResourceStatus"].endswith("_FAILED") and event["LogicalResourceId"] != child["StackName"]
    ]
    if not failed:
        return str(child.get("StackStatusReason") or child["StackStatus"])
    names = ", ".join(dict.fromkeys(event["LogicalResourceId"] for event in failed))
    return f"The following resource(s) failed to {verb}: [{names}]."


def adopt(parent: dict[str, Any], child: Mapping[str, Any]) -> None:
    """Let the parent know a child in whose making both were interrupted."""
    if child["StackStatus"] != "DELETE_COMPLETE" and child["_logical_id"] not in parent["_resources"]:
        _keep_in_parent(parent, child, {})


def _keep_in_parent(parent: dict[str, Any], child: Mapping[str, Any], props: Mapping[str, Any]) -> None:
    """Let the parent know what is left of a child that failed, so that its delete finds it."""
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


def _report_left_children(name: str, stack_id: str, stack: dict[str, Any]) -> None:
    left = [
        logical_id
        for logical_id, resource in stack.get("_resources", {}).items()
        if resource.get("ResourceType") == TYPE and resource.get("ResourceStatus") == "CREATE_FAILED"
    ]
    if not left or not stack["StackStatus"].endswith("ROLLBACK_COMPLETE"):
        return
    stack["StackStatus"] = stack["StackStatus"].replace("COMPLETE", "FAILED")
    stack["StackStatusReason"] = f"The following resource(s) failed to delete: [{', '.join(sorted(left))}]."
    stacks._add_event(stack_id, name, name, TYPE, stack["StackStatus"], stack["StackStatusReason"], stack_id)
