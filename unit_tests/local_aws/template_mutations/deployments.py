"""Deploys mutations that pass the validation, each with the resources that it needs, on one local_aws."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.cloudformation_cloud import Cloud


def creation_refusal(cloud: Cloud, name: str, template: Mapping[str, Any], logical_id: str) -> str | None:
    """Return why the creation of the changed resource fails, or None if it is created.

    Raises AssertionError if something else of the template fails.
    """
    status = cloud.create(name, json.dumps(template))
    events = cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    failed = {
        event["LogicalResourceId"]: event.get("ResourceStatusReason", "")
        for event in events
        if event["ResourceStatus"] == "CREATE_FAILED"
    }
    cloud.delete(name)
    if status == "CREATE_COMPLETE":
        return None
    assert logical_id in failed, f"{name} fails elsewhere: {failed}, {cloud.reasons(name)}"
    return str(failed[logical_id])
