"""What AWS returns about a release that has failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from unit_tests.operations.account_fakes import Answer, FakeAccount

Answers = dict[tuple[str, str], Answer]
BEGAN = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LATER = BEGAN + timedelta(minutes=10)
COMMIT = "232e3dafdfc1093baed25a34d63fa0a81cc697ea"
DEPLOYMENT = "d-2PVJWUEUC"
TASK_SET = "ecs-svc/1876400754786855776"
EXCEPTION = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3\nRuntimeError: a mistake'


def execution(status: str, id_: str = "e-1", **more: Any) -> dict[str, Any]:
    revisions = [{"revisionId": COMMIT, "revisionSummary": "Greet\n\nWith more words.\n"}]
    return {"pipelineExecutionId": id_, "status": status, "sourceRevisions": revisions, **more}


def action(
    stage: str, provider: str, status: str = "Failed", external: str = "", text: str = "", **more: Any
) -> dict[str, Any]:
    result = {"externalExecutionId": external, "errorDetails": {"code": "JobFailed", "message": text}}
    given = {"actionTypeId": {"provider": provider}, **more.pop("input", {})}
    return {
        "stageName": stage,
        "actionName": stage,
        "status": status,
        "startTime": BEGAN,
        "input": given,
        "output": {"executionResult": result},
        **more,
    }


def pipeline(executions: list[dict[str, Any]], actions: list[dict[str, Any]]) -> Answers:
    return {
        ("codepipeline", "list_pipeline_executions"): {"pipelineExecutionSummaries": executions},
        ("codepipeline", "list_action_executions"): {"actionExecutionDetails": actions},
        ("sts", "get_caller_identity"): {"Account": "111111111111"},
    }


def deployment(code: str, message: str, **more: Any) -> Answers:
    """Return a deployment that has failed, whose service and log say nothing."""
    info = {
        "deploymentId": DEPLOYMENT,
        "status": "Failed",
        "createTime": BEGAN,
        "startTime": BEGAN,
        "completeTime": LATER,
        "errorInformation": {"code": code, "message": message},
        **more,
    }
    target = {
        "lifecycleEvents": [
            {"lifecycleEventName": "BeforeInstall", "status": "Succeeded"},
            {"lifecycleEventName": "Install", "status": "Failed"},
        ],
        "taskSetsInfo": [
            {"identifer": "ecs-svc/1", "taskSetLabel": "Blue"},
            {"identifer": TASK_SET, "taskSetLabel": "Green"},
        ],
    }
    return {
        **pipeline([execution("Failed")], [action("Deploy", "CodeDeployToECS", external=DEPLOYMENT)]),
        ("codedeploy", "get_deployment"): {"deploymentInfo": info},
        ("codedeploy", "list_deployment_targets"): {"targetIds": ["cluster-dev:service-dev"]},
        ("codedeploy", "batch_get_deployment_targets"): {"deploymentTargets": [{"ecsTarget": target}]},
        ("ecs", "list_tasks"): {"taskArns": []},
        ("ecs", "describe_services"): {"services": [{"events": []}]},
        **logs({}),
    }


def logs(groups: dict[str, list[Any]]) -> Answers:
    """Return what the log groups have; a line that is no text is JSON."""

    def filtered(logGroupName: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's own name
        lines = groups.get(logGroupName, [])
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        return {"events": [{"logStreamName": "app/app/1", "message": text} for text in texts]}

    return {("logs", "filter_log_events"): filtered}


def stopped(
    reason: str, *, code: int | None = None, started_by: str = TASK_SET, **more: Any
) -> dict[str, Any]:
    container = {"name": "app"} if code is None else {"name": "app", "exitCode": code}
    return {
        "taskArn": "arn:aws:ecs:us-east-1:111111111111:task/cluster-dev/be9d0ce5aaaa",
        "startedBy": started_by,
        "stopCode": "EssentialContainerExited",
        "stoppedReason": reason,
        "containers": [container],
        **more,
    }


def tasks(*found: dict[str, Any]) -> Answers:
    return {
        ("ecs", "list_tasks"): {"taskArns": [one["taskArn"] for one in found]},
        ("ecs", "describe_tasks"): {"tasks": list(found)},
    }


def account(*answers: Mapping[tuple[str, str], Answer]) -> FakeAccount:
    """Return an account with these answers; the later ones count."""
    found = FakeAccount({name: answer for some in answers for name, answer in some.items()})
    found.session = SimpleNamespace(region_name="us-east-1")
    return found
