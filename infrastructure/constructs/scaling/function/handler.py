"""Suspend the scaling of the service while a deployment runs, and resume it after its end (pitfall C8).

Each invocation looks which deployments are in progress, so that it does not matter in which order the events
of a failed deployment and of its rollback arrive. This folder is the function's code, so the module imports
only what the Lambda runtime has.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

# https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeployments.html
IN_PROGRESS = ["Created", "Queued", "InProgress", "Baking", "Ready"]
# By policies in both directions, and by scheduled actions, of which the template has none.
SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_CALLS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Suspend or resume the scaling; doing it again changes nothing.

    Raises what a call raises, so that Lambda invokes the function again.
    """
    deployments = _in_progress()
    detail = event.get("detail", {})
    # What CodeDeploy lists may be older than the event.
    if detail.get("state") == "START":
        deployments.add(detail["deploymentId"])
    else:
        deployments.discard(detail.get("deploymentId", ""))
    _client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ScalableDimension="ecs:service:DesiredCount",
        ResourceId=os.environ["RESOURCE_ID"],
        SuspendedState=dict.fromkeys(SUSPENDED, bool(deployments)),
    )
    result = {"suspended": bool(deployments), "deployments": sorted(deployments)}
    print(json.dumps(result))
    return result


def _in_progress() -> set[str]:
    pages = (
        _client("codedeploy")
        .get_paginator("list_deployments")
        .paginate(
            applicationName=os.environ["APPLICATION"],
            deploymentGroupName=os.environ["DEPLOYMENT_GROUP"],
            includeOnlyStatuses=IN_PROGRESS,
        )
    )
    return {deployment for page in pages for deployment in page["deployments"]}


def _client(service: str) -> Any:
    return boto3.client(service, config=_CALLS)
