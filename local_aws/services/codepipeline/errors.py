"""The errors of CodePipeline's operations, and the errors that end an action.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_Operations.html
"""

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError


class ActionFailedError(Exception):
    """The action ends as Failed; `code` and `message` are those of the API's ErrorDetails."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class ActionAbandonedError(Exception):
    """The action ends as Abandoned: its execution was stopped with `abandon`."""


class ArtifactError(Exception):
    """An artifact, or a file in it, cannot be read or written; the message is AWS's."""


class UnresolvedVariableError(Exception):
    """The action refers to a variable that no earlier action produced."""


def error_message(error: ClientError) -> str:
    """Return the message and the code of a service's error, in the format of AWS's SDKs."""
    details = error.response["Error"]
    return f"{details.get('Message', '')} (Error Code: {details['Code']})"


def unsupported(feature: str) -> AwsError:
    """Return the error for a feature of CodePipeline that local_aws does not implement."""
    return AwsError("UnsupportedOperation", f"local_aws does not implement CodePipeline's {feature}", 501)


def invalid_request(message: str) -> AwsError:
    """Return the error for an argument with an invalid value."""
    return AwsError("ValidationException", message)


def invalid_structure(message: str) -> AwsError:
    """Return the error for an invalid pipeline declaration."""
    return AwsError("InvalidStructureException", message)


def invalid_stage(message: str) -> AwsError:
    """Return the error for an invalid stage declaration."""
    return AwsError("InvalidStageDeclarationException", message)


def invalid_action(message: str) -> AwsError:
    """Return the error for an invalid action declaration."""
    return AwsError("InvalidActionDeclarationException", message)


def pipeline_not_found(name: str, account: str) -> AwsError:
    """Return the error for an unknown pipeline."""
    return AwsError(
        "PipelineNotFoundException", f"Account '{account}' does not have a pipeline with name '{name}'"
    )


def pipeline_name_in_use(name: str, account: str) -> AwsError:
    """Return the error for a pipeline name that is taken."""
    return AwsError(
        "PipelineNameInUseException",
        f"A pipeline with the name '{name}' already exists in account '{account}'",
    )


def pipeline_version_not_found(name: str, version: int) -> AwsError:
    """Return the error for an unknown version of a pipeline."""
    return AwsError("PipelineVersionNotFoundException", f"Pipeline {name} does not have a version {version}")


def stage_not_found(pipeline: str, stage: str) -> AwsError:
    """Return the error for an unknown stage."""
    return AwsError(
        "StageNotFoundException", f"The pipeline {pipeline} does not have a stage with name {stage}"
    )


def action_not_found(pipeline: str, stage: str, action: str) -> AwsError:
    """Return the error for an unknown action."""
    return AwsError(
        "ActionNotFoundException",
        f"Stage {stage} of pipeline {pipeline} does not have an action with name {action}",
    )


def execution_not_found(pipeline: str, execution_id: str) -> AwsError:
    """Return the error for an unknown execution."""
    return AwsError(
        "PipelineExecutionNotFoundException",
        f"Pipeline {pipeline} does not have an execution with id {execution_id}",
    )


def execution_not_stoppable(execution_id: str, status: str | None) -> AwsError:
    """Return the error for stopping an execution that has ended (`status`), or that does not exist."""
    reason = "not found" if status is None else f"in a {status} state"
    return AwsError(
        "PipelineExecutionNotStoppableException",
        f"Unable to stop the pipeline execution. The execution {execution_id} is {reason}.",
    )


def duplicated_stop_request(execution_id: str) -> AwsError:
    """Return the error for stopping an execution that is stopping already."""
    return AwsError(
        "DuplicatedStopRequestException",
        f"The pipeline execution {execution_id} is already in a Stopping state",
    )


def not_latest_execution(execution_id: str, stage: str) -> AwsError:
    """Return the error for retrying an execution that is not the latest of the stage."""
    return AwsError(
        "NotLatestPipelineExecutionException",
        f"The execution {execution_id} is not the latest in stage {stage}, and cannot be retried",
    )


def stage_not_retryable(execution_id: str, stage: str, status: str) -> AwsError:
    """Return the error for retrying a stage without a failed action."""
    return AwsError(
        "StageNotRetryableException",
        f"The stage {stage} has no failed actions to retry: it is {status} in execution {execution_id}",
    )


def unable_to_roll_back(stage: str, reason: str) -> AwsError:
    """Return the error for a stage or an execution that cannot be rolled back (to)."""
    return AwsError("UnableToRollbackStageException", f"Unable to roll back stage {stage}: {reason}")


def approval_already_completed() -> AwsError:
    """Return the error for a second answer to an approval request."""
    return AwsError(
        "ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected."
    )


def invalid_approval_token(message: str) -> AwsError:
    """Return the error for an answer to an approval request that is not open."""
    return AwsError("InvalidApprovalTokenException", message)


def invalid_arn(arn: str) -> AwsError:
    """Return the error for an ARN of another kind of resource."""
    return AwsError("InvalidArnException", f"The resource ARN {arn} is not valid")


def resource_not_found(arn: str) -> AwsError:
    """Return the error for the ARN of an unknown pipeline.

    https://github.com/getmoto/moto/blob/master/tests/test_codepipeline/test_codepipeline.py
    """
    account, name = arn.split(":")[4:6]
    return AwsError(
        "ResourceNotFoundException",
        f"The account with id '{account}' does not include a pipeline with the name '{name}'",
    )
