"""Starts the build of a project that is the target of an EventBridge rule.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-events.html
"""

import json
from collections.abc import Mapping
from typing import Any

from local_aws.core.api import service_model
from local_aws.core.context import Context, ServiceRole, Source
from local_aws.services.codebuild.errors import invalid_input, unsupported


def start_target(context: Context, arn: str, target: Mapping[str, Any]) -> None:
    """Start a build, as the target's role, with the members of StartBuild that the target's input has."""
    if not target.get("RoleArn"):
        raise invalid_input(f"RoleArn is required for target {arn}.")
    if target.get("InputPath"):
        raise unsupported("local_aws does not support InputPath for targets of CodeBuild")
    shape = service_model("codebuild").operation_model("StartBuild").input_shape
    members = shape.members if shape is not None else {}
    # Members that an operation does not know are ignored: a whole event has none that StartBuild knows.
    given = {name: value for name, value in json.loads(target["Payload"] or "{}").items() if name in members}
    role = ServiceRole(target["RoleArn"], "events", target["RuleArn"], Source.ACCOUNT_AND_ARN)
    client = context.client("codebuild", role)
    client.start_build(**{**given, "projectName": arn.rpartition("/")[2]})
