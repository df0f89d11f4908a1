"""What CloudFormation detects as drifted, of the resource types that the role may read."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .finding import Finding, Findings

NESTED = "AWS::CloudFormation::Stack"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
DETECTABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED")
SECONDS_BETWEEN_LOOKS = 5.0
# "up to several minutes": https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackDrift.html
MOST_LOOKS = 120


class DetectionError(Exception):
    """CloudFormation could not look at a resource; the message has its reason."""


def drifted_resources(cloudformation: Any, root: str, types: Collection[str]) -> Findings | None:
    """Return the resources of these types that differ from the template, in the stack and its nested ones.

    Return None while the stack is being deployed.
    """
    (stack,) = cloudformation.describe_stacks(StackName=root)["Stacks"]
    if stack["StackStatus"] not in DETECTABLE:
        return None
    watched = dict(_watched(cloudformation, stack["StackId"], types))
    detections = {
        each: cloudformation.detect_stack_drift(StackName=each, LogicalResourceIds=ids)[
            "StackDriftDetectionId"
        ]
        for each, ids in watched.items()
    }
    for detection in detections.values():
        _wait(cloudformation, detection)
    drifts = [drift for each in watched for drift in _drifts(cloudformation, each)]
    return {_subject(one): _finding(one) for one in drifts if one["ResourceType"] in types}


def _watched(cloudformation: Any, stack: str, types: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the stack and its nested ones, each with its resources of these types."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [one for page in pages for one in page["StackResourceSummaries"]]
    if ids := [one["LogicalResourceId"] for one in resources if one["ResourceType"] in types]:
        yield stack, ids
    for one in resources:
        if one["ResourceType"] == NESTED:
            yield from _watched(cloudformation, one["PhysicalResourceId"], types)


def _wait(cloudformation: Any, detection: str) -> None:
    for _ in range(MOST_LOOKS):
        found = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if found["DetectionStatus"] == "DETECTION_FAILED":
            raise DetectionError(found.get("DetectionStatusReason", "CloudFormation gives no reason"))
        if found["DetectionStatus"] == "DETECTION_COMPLETE":
            return
        time.sleep(SECONDS_BETWEEN_LOOKS)
    raise DetectionError(f"the detection {detection} has not ended")


def _drifts(cloudformation: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    given: dict[str, Any] = {
        "StackName": stack,
        "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"],
    }
    while True:
        page = cloudformation.describe_stack_resource_drifts(**given)
        yield from page["StackResourceDrifts"]
        if "NextToken" not in page:
            return
        given["NextToken"] = page["NextToken"]


def _subject(drift: Mapping[str, Any]) -> str:
    return f"{drift['ResourceType']} {drift.get('PhysicalResourceId', drift['LogicalResourceId'])}"


def _finding(drift: Mapping[str, Any]) -> Finding:
    if drift["StackResourceDriftStatus"] == "DELETED":
        return Finding(f"{_subject(drift)} is deleted, and the template still has it. Deploy the stack.")
    differences = drift.get("PropertyDifferences", [])
    paths = ", ".join(sorted(one["PropertyPath"] for one in differences))
    # The values may be long, and whoever sees the message need not see them.
    state = json.dumps(sorted((one["PropertyPath"], one["ActualValue"]) for one in differences))
    return Finding(
        f"{_subject(drift)} differs from the template in {paths}. CloudTrail has who changed it; undo it.",
        state,
    )
