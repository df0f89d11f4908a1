"""From an action's declaration to its end: inputs, variables, role, the provider's work, outputs."""

import threading
from collections.abc import Callable, Mapping

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.core.api import now
from local_aws.core.context import Context
from local_aws.services.codepipeline.action_context import (
    ActionAbandonedError,
    ActionFailedError,
    Work,
    is_denied,
    words,
)
from local_aws.services.codepipeline.approval import run_approval
from local_aws.services.codepipeline.artifacts import ArtifactError, new_artifact
from local_aws.services.codepipeline.build import run_build
from local_aws.services.codepipeline.deploy import run_deploy
from local_aws.services.codepipeline.records import ActionExecution, Execution
from local_aws.services.codepipeline.roles import acting_as
from local_aws.services.codepipeline.source import run_source
from local_aws.services.codepipeline.structure import Action
from local_aws.services.codepipeline.variables import UnresolvedVariableError, resolve

Archive = Callable[[str, str], bytes]

RUNNERS: Mapping[str, Callable[[Work], None]] = {
    "CodeCommit": run_source,
    "CodeBuild": run_build,
    "CodeDeployToECS": run_deploy,
    "Manual": run_approval,
}


def prepare(execution: Execution, stage: str, action: Action) -> ActionExecution:
    """Return the record of a new run of `action`: its inputs found, places for its outputs named."""
    pipeline = execution.pipeline
    inputs = [execution.artifacts[name] for name in action.inputs]
    primary = action.configuration.get("PrimarySource")
    sources = [item for item in inputs if primary in (None, item.name)]
    revision = sources[0].revision if sources else None
    run = ActionExecution(stage, action, pipeline.version, execution.id)
    run.inputs = inputs
    run.outputs = [new_artifact(pipeline.name, name, pipeline.bucket, revision) for name in action.outputs]
    return run


def perform(
    context: Context, lock: threading.RLock, archive: Archive, execution: Execution, run: ActionExecution
) -> None:
    """Do the action's work; raises `ActionFailedError` or `ActionAbandonedError`."""
    action = run.action
    try:
        run.configuration = resolve(action.configuration, execution.namespaces)
        client = acting_as(context, execution.pipeline, action.role_arn)
        RUNNERS[action.provider.name](Work(context, execution, run, client, archive, lock))
    except UnresolvedVariableError as error:
        raise ActionFailedError("ConfigurationError", str(error)) from error
    except ArtifactError as error:
        raise ActionFailedError("PermissionError", str(error)) from error
    except ClientError as error:
        code = "PermissionError" if is_denied(error) else "JobFailed"
        raise ActionFailedError(code, words(error)) from error
    except BotoCoreError as error:
        if execution.abandoned.is_set():
            raise ActionAbandonedError from error
        raise ActionFailedError("SystemUnavailable", str(error)) from error


def settle(execution: Execution, run: ActionExecution) -> None:
    """Give what a succeeded action produced to the actions after it."""
    revision = run.revision
    if revision is not None:
        execution.revisions = [item for item in execution.revisions if item.action != revision.action]
        execution.revisions.append(revision)
    for artifact in run.outputs:
        if revision is not None:
            artifact = type(artifact)(artifact.name, artifact.bucket, artifact.key, revision.id)
        execution.artifacts[artifact.name] = artifact
    if run.action.namespace:
        execution.namespaces[run.action.namespace] = run.variables
    run.status, run.changed = "Succeeded", now()
