"""PollForSourceChanges: looks at a branch every minute of AWS's time, starts the pipeline when it moved."""

from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.core.context import Context
from local_aws.services.codepipeline.engine import Engine
from local_aws.services.codepipeline.records import Execution, Line
from local_aws.services.codepipeline.requests import Params
from local_aws.services.codepipeline.roles import acting_as
from local_aws.services.codepipeline.source import head
from local_aws.services.codepipeline.structure import Action, Pipeline

POLL_EVERY = 60


class Starter(Protocol):
    """What polling needs of the service."""

    context: Context
    engine: Engine

    def begin(self, line: Line, trigger: str, detail: str, params: Params) -> Execution:
        """Start an execution, under the lock."""
        ...


def poll(service: Starter, line: Line, pipeline: Pipeline, action: Action) -> None:
    """Watch the action's branch until the pipeline is deleted or has a newer version."""
    seen = _head(service.context, pipeline, action)
    wait = service.context.clock.seconds(POLL_EVERY)
    while True:
        with service.engine.changed:
            service.engine.changed.wait_for(lambda: _over(service, line, pipeline), wait)
            if _over(service, line, pipeline):
                return
        found = _head(service.context, pipeline, action)
        if found is not None and found != seen:
            with service.engine.changed:
                if not _over(service, line, pipeline):
                    service.begin(line, "PollForSourceChanges", pipeline.name, {})
        seen = found or seen


def _over(service: Starter, line: Line, pipeline: Pipeline) -> bool:
    return service.engine.closed or line.deleted or line.pipeline is not pipeline


def _head(context: Context, pipeline: Pipeline, action: Action) -> str | None:
    configuration = action.configuration
    try:
        codecommit = acting_as(context, pipeline, action.role_arn)("codecommit")
        return head(codecommit, configuration["RepositoryName"], configuration["BranchName"])
    except (ClientError, BotoCoreError):
        # No such branch yet, or no permission: the source action says so when it runs.
        return None
