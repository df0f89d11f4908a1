"""The root stack of an environment, and why CloudFormation could not delete it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.names import Names

NESTED = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Failure:
    """One resource that could not be deleted, and CloudFormation's reason."""

    type: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.type} {self.name}: {self.reason}"


def root_stack(suffix: str, account: Account) -> Mapping[str, Any] | None:
    """Return the description of the root stack, or None when there is none."""
    try:
        found = account.client("cloudformation").describe_stacks(StackName=Names(suffix).stack)
    except ClientError as error:
        if code_of(error) == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    stack: Mapping[str, Any] = found["Stacks"][0]
    return stack


def failures(stack: str, account: Account) -> list[Failure]:
    """Return what could not be deleted in the last attempt, in nested stacks too."""
    found = []
    for event in _last_deletion(stack, account):
        if event["ResourceStatus"] != "DELETE_FAILED":
            continue
        inside = []
        if event["ResourceType"] == NESTED:
            inside = failures(event["PhysicalResourceId"], account)
        reason = event.get("ResourceStatusReason", "no reason given")
        name = event.get("PhysicalResourceId") or event["LogicalResourceId"]
        found += inside or [Failure(event["ResourceType"], name, " ".join(reason.split()))]
    return found


def _last_deletion(stack: str, account: Account) -> Iterator[Mapping[str, Any]]:
    """Yield the newest event of every resource since the stack's deletion last began."""
    seen = set()
    # CloudFormation returns the newest first.
    for event in account.pages("cloudformation", "describe_stack_events", "StackEvents", StackName=stack):
        if event["PhysicalResourceId"] == event["StackId"]:
            if event["ResourceStatus"] == "DELETE_IN_PROGRESS":
                return
        elif event["LogicalResourceId"] not in seen:
            seen.add(event["LogicalResourceId"])
            yield event


def template_resources(stack: str, account: Account) -> Mapping[str, Mapping[str, Any]]:
    """Return the resources of a deployed template."""
    body = account.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
    template: Mapping[str, Mapping[str, Mapping[str, Any]]] = (
        json.loads(body) if isinstance(body, str) else body
    )
    return template["Resources"]
