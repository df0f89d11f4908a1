"""Retry the stage Build once if AWS failed it, and not the commit; say so to the topic.

A build that failed before the first command of its buildspec has run nothing of the commit: it was queued,
its container was provisioned, its source was downloaded. The other case is a phase that did not fail but
faulted (FAULT). Everything else would end in the same way again, or somebody should see it.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html
This folder is the function's code, so the module imports only what the Lambda runtime has.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

STAGE = "Build"
BEFORE_COMMANDS = frozenset({"SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE"})
# The phase COMPLETED has no status.
PASSED = ("SUCCEEDED", None)
# The buildspec is the commit's or the platform's: it does not become valid by itself (pitfall F7).
BUILDSPEC_ERROR = "YAML_FILE_ERROR"
# A newer execution has entered the stage: it builds a newer commit.
OVERTAKEN = "NotLatestPipelineExecutionException"
_CALLS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Retry the failed actions of the stage, or leave them to a person.

    Raises what a call raises, so that Lambda invokes the function again.
    """
    execution = event["detail"]["execution-id"]
    faults = faults_of_aws(_runs(execution))
    retried = bool(faults) and _retry(execution, faults)
    result = {"execution": execution, "faults": faults, "retried": retried}
    print(json.dumps(result))
    return result


def faults_of_aws(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what AWS failed in the last run of the stage; nothing if the commit may have failed it, too.

    `runs` are those of its actions. If one ran twice, the stage was retried already, and is left alone.
    """
    if len({run["actionName"] for run in runs}) != len(runs):
        return []
    builds = [_build(run) for run in runs if run["status"] == "Failed"]
    faults = [fault_of(build) for build in builds]
    return faults if all(faults) else []


def fault_of(build: Mapping[str, Any]) -> str:
    """Return the phase in which AWS failed a build, with its reason, or nothing."""
    for phase in build.get("phases", []):
        status = phase.get("phaseStatus")
        if status in PASSED:
            continue
        context = (phase.get("contexts") or [{}])[0]
        code = context.get("statusCode", "")
        is_early = phase["phaseType"] in BEFORE_COMMANDS and code != BUILDSPEC_ERROR
        if status == "FAULT" or (is_early and status != "STOPPED"):
            reason = f"{code} {context.get('message', '')}".strip()
            return f"{build['id']}: {phase['phaseType']} {status}: {reason or 'no reason given'}"
        return ""
    return ""


def _runs(execution: str) -> list[dict[str, Any]]:
    pages = (
        _client("codepipeline")
        .get_paginator("list_action_executions")
        .paginate(pipelineName=os.environ["PIPELINE"], filter={"pipelineExecutionId": execution})
    )
    return [run for page in pages for run in page["actionExecutionDetails"] if run["stageName"] == STAGE]


def _build(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the build of an action's run; empty if StartBuild failed, as without a quota (pitfall A2)."""
    id_ = run.get("output", {}).get("executionResult", {}).get("externalExecutionId")
    builds = _client("codebuild").batch_get_builds(ids=[id_])["builds"] if id_ else []
    found: Mapping[str, Any] = builds[0] if builds else {}
    return found


def _retry(execution: str, faults: Sequence[str]) -> bool:
    try:
        _client("codepipeline").retry_stage_execution(
            pipelineName=os.environ["PIPELINE"],
            stageName=STAGE,
            pipelineExecutionId=execution,
            retryMode="FAILED_ACTIONS",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != OVERTAKEN:
            raise
        return False
    _client("sns").publish(
        TopicArn=os.environ["TOPIC"],
        Message=(
            f"Stage {STAGE} of pipeline {os.environ['PIPELINE']} is retried once, in execution {execution}: "
            f"AWS failed it, and not the commit. {'; '.join(faults)}"
        ),
    )
    return True


def _client(service: str) -> Any:
    return boto3.client(service, config=_CALLS)
