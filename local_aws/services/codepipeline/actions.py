"""Running an action: inputs, variables, role, the provider's code, outputs."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.core.api import now
from local_aws.core.clients import is_denied
from local_aws.core.context import Context
from local_aws.services.codepipeline.action_context import ActionContext
from local_aws.services.codepipeline.approval import run_approval
from local_aws.services.codepipeline.artifacts import new_artifact
from local_aws.services.codepipeline.build import run_build
from local_aws.services.codepipeline.deploy import run_deploy
from local_aws.services.codepipeline.ecs_deploy import run_ecs_deploy
from local_aws.services.codepipeline.errors import (
    ActionAbandonedError,
    ActionFailedError,
    ArtifactError,
    UnresolvedVariableError,
    error_message,
)
from local_aws.services.codepipeline.records import ActionExecution, Execution, new_id
from local_aws.services.codepipeline.roles import client_factory
from local_aws.services.codepipeline.s3_deploy import run_s3_deploy
from local_aws.services.codepipeline.source import run_source
from local_aws.services.codepipeline.structure import ActionDeclaration
from local_aws.services.codepipeline.variables import resolve

Archive = Callable[[str, str], bytes]

RUNNERS: Mapping[str, Callable[[ActionContext], None]] = {
    "CodeCommit": run_source,
    "CodeBuild": run_build,
    "CodeDeployToECS": run_deploy,
    "ECS": run_ecs_deploy,
    "S3": run_s3_deploy,
    "Manual": run_approval,
}


def new_run(execution: Execution, stage: str, action: ActionDeclaration) -> ActionExecution:
    """Return the record of a new run of `action`, with its input artifacts and the keys of its outputs."""
    pipeline = execution.declaration
    inputs = [execution.artifacts[name] for name in action.inputs]
    primary = action.configuration.get("PrimarySource")
    revisions = (item.revision for item in inputs if primary in (None, item.name))
    revision = next(revisions, None)
    run = ActionExecution(stage, action, pipeline.version, execution.id)
    if action.provider.name == "Manual":
        # Whoever sees it in progress may answer, and reads what is asked.
        run.token = new_id()
        with suppress(UnresolvedVariableError):  # perform() fails the action for it
            run.summary = resolve(action.configuration, execution.namespaces).get("CustomData")
    run.inputs = inputs
    run.outputs = [new_artifact(pipeline.name, name, pipeline.bucket, revision) for name in action.outputs]
    return run


def perform(
    context: Context, lock: threading.RLock, archive: Archive, execution: Execution, run: ActionExecution
) -> None:
    """Run the provider's code; raises `ActionFailedError` or `ActionAbandonedError`."""
    action = run.action
    try:
        run.configuration = resolve(action.configuration, execution.namespaces)
        client = client_factory(context, execution.declaration, action.role_arn)
        RUNNERS[action.provider.name](ActionContext(context, execution, run, client, archive, lock))
    except UnresolvedVariableError as error:
        raise ActionFailedError("ConfigurationError", str(error)) from error
    except ArtifactError as error:
        raise ActionFailedError("PermissionError", str(error)) from error
    except ClientError as error:
        code = "PermissionError" if is_denied(error) else "JobFailed"
        raise ActionFailedError(code, error_message(error)) from error
    except BotoCoreError as error:
        if execution.abandoned.is_set():
            raise ActionAbandonedError from error
        raise ActionFailedError("SystemUnavailable", str(error)) from error


def complete(execution: Execution, run: ActionExecution) -> None:
    """Mark a run as succeeded, and record its artifacts and variables for the later actions."""
    revision = run.revision
    if revision is not None:
        execution.revisions = [item for item in execution.revisions if item.action != revision.action]
        execution.revisions.append(revision)
    for artifact in run.outputs:
        if revision is not None:
            artifact = replace(artifact, revision=revision.id)
        execution.artifacts[artifact.name] = artifact
    if run.action.namespace:
        execution.namespaces[run.action.namespace] = run.variables
    run.status, run.changed = "Succeeded", now()
