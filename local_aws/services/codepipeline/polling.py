"""PollForSourceChanges: polls a branch once a minute (scaled) and starts the pipeline on a change."""

from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.core.context import Context
from local_aws.services.codepipeline.engine import Engine
from local_aws.services.codepipeline.lookup import Params
from local_aws.services.codepipeline.records import Execution, PipelineState
from local_aws.services.codepipeline.roles import client_factory
from local_aws.services.codepipeline.source import branch_tip
from local_aws.services.codepipeline.structure import ActionDeclaration, PipelineDeclaration

POLL_SECONDS = 60


class ExecutionStarter(Protocol):
    """The part of the service that polling uses."""

    context: Context
    engine: Engine

    def start_execution(
        self, pipeline: PipelineState, trigger_type: str, trigger_detail: str, params: Params
    ) -> Execution:
        """Start an execution (under the lock)."""
        ...


def poll(
    service: ExecutionStarter,
    pipeline: PipelineState,
    declaration: PipelineDeclaration,
    action: ActionDeclaration,
) -> None:
    """Poll the action's branch until the pipeline is deleted or has a newer version."""
    last_tip = _branch_tip(service.context, declaration, action)
    seconds = service.context.clock.seconds(POLL_SECONDS)
    while True:
        with service.engine.changed:
            service.engine.changed.wait_for(lambda: _is_over(service, pipeline, declaration), seconds)
            if _is_over(service, pipeline, declaration):
                return
        tip = _branch_tip(service.context, declaration, action)
        if tip is not None and tip != last_tip:
            with service.engine.changed:
                if not _is_over(service, pipeline, declaration):
                    service.start_execution(pipeline, "PollForSourceChanges", declaration.name, {})
        last_tip = tip or last_tip


def _is_over(service: ExecutionStarter, pipeline: PipelineState, declaration: PipelineDeclaration) -> bool:
    return service.engine.closed or pipeline.deleted or pipeline.declaration is not declaration


def _branch_tip(context: Context, declaration: PipelineDeclaration, action: ActionDeclaration) -> str | None:
    configuration = action.configuration
    try:
        codecommit = client_factory(context, declaration, action.role_arn)("codecommit")
        return branch_tip(codecommit, configuration["RepositoryName"], configuration["BranchName"])
    except (ClientError, BotoCoreError):
        # A missing branch or permission: the source action reports it when it runs.
        return None
