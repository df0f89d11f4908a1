"""Fail an update that would drop a setting of the environment (pitfall C11).

This folder is the function's code, so the module imports only what the Lambda runtime has.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any, Protocol

import boto3
from botocore.config import Config

TIMEOUT_SECONDS = 10
_CALLS = Config(connect_timeout=5, read_timeout=TIMEOUT_SECONDS, retries={"total_max_attempts": 3})


class LambdaContext(Protocol):
    """The part of Lambda's context object that the function uses."""

    function_name: str


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Answer CloudFormation's request: FAILED with the reason, or SUCCESS.

    What it raises instead makes Lambda invoke the function again, twice.
    """
    reason = rejection(event)
    respond(event, physical_id=context.function_name, reason=reason)
    print(json.dumps({"request": event["RequestType"], "rejected": reason}))


def rejection(event: Mapping[str, Any]) -> str | None:
    """Return why this request must fail, or None.

    A rollback is an update too, with both sets of properties reversed: it drops what the failed update added.
    https://github.com/aws-cloudformation/custom-resource-helper/issues/71
    """
    if event["RequestType"] != "Update":
        return None
    dropped = dropped_settings(event["OldResourceProperties"], event["ResourceProperties"])
    if not dropped or _rolls_back(event["StackId"]):
        return None
    stack = event["StackId"].split("/")[1]
    named = ", ".join(f"{key} ({value})" for key, value in dropped.items())
    return (
        f"Nothing was changed: this deployment would drop {named} from {stack}. Add it to the environment in "
        f"cdk.json, or pass it again with -c; to drop it, pass -c dropSettings={','.join(dropped)}"
    )


def dropped_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that only the old properties have, without those that may be dropped."""
    kept = {*new.get("Settings", {}), *new.get("DropSettings", [])}
    return {key: value for key, value in old.get("Settings", {}).items() if key not in kept}


def respond(event: Mapping[str, Any], *, physical_id: str, reason: str | None) -> None:
    """Send the response to CloudFormation.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
    """
    body = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": reason or "",
        "PhysicalResourceId": physical_id,
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own URL
        event["ResponseURL"],
        data=json.dumps(body).encode(),
        # The signature of the URL covers an empty type.
        headers={"Content-Type": ""},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310 - as above
        pass


def _rolls_back(stack: str) -> bool:
    (found,) = boto3.client("cloudformation", config=_CALLS).describe_stacks(StackName=stack)["Stacks"]
    return "ROLLBACK" in found["StackStatus"]
