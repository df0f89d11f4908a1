"""Brings an environment to rest: what runs while CloudFormation deletes can make it fail (pitfall I2)."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.waiting import NotYetError, wait_for

Say = Callable[[str], None]

# CodeDeploy puts traffic back before a stopped deployment is over; a build's containers take seconds.
REST_SECONDS = 900.0
# CodeDeploy's and CodePipeline's words for "there is none", "it ended meanwhile", "somebody stopped it".
GONE = frozenset(
    {
        "PipelineNotFoundException",
        "ApplicationDoesNotExistException",
        "DeploymentGroupDoesNotExistException",
        "ResourceNotFoundException",
    }
)
ENDED_MEANWHILE = frozenset(
    {
        "PipelineExecutionNotStoppableException",
        "DuplicatedStopRequestException",
        "DeploymentAlreadyCompletedException",
    }
)
ACTIVE_DEPLOYMENT = ["Created", "Queued", "InProgress", "Baking", "Ready"]


def stop_everything(suffix: str, account: Account, say: Say, *, dry_run: bool = False) -> None:
    """Stop the pipeline's executions, then builds and deployments, and wait until all have ended."""
    if not dry_run:
        _close_the_road(suffix, account)
    running = {
        "pipeline execution": (executions, _stop_execution),
        "build": (builds, _stop_build),
        "deployment": (deployments, _stop_deployment),
    }
    for kind, (find, stop) in running.items():
        for found in list(find(suffix, account)):
            say(f"{'would stop' if dry_run else 'stopping'} {kind} {found}")
            if not dry_run:
                _tolerate(ENDED_MEANWHILE, stop, suffix, account, found)
    if not dry_run:
        for kind, (find, _) in running.items():
            _wait_until_none(kind, find, suffix, account)


def executions(suffix: str, account: Account) -> Iterator[str]:
    """Yield the pipeline executions that are not over."""
    found = _unless_gone(
        account, "codepipeline", "list_pipeline_executions", "pipelineExecutionSummaries",
        pipelineName=f"pipeline-{suffix}",
    )  # fmt: skip
    yield from (one["pipelineExecutionId"] for one in found if one["status"] in ("InProgress", "Stopping"))


def builds(suffix: str, account: Account) -> Iterator[str]:
    """Yield the builds that are not over."""
    # The newest first; of a project that builds one commit at a time, only these can still run.
    newest = _unless_gone(
        account, "codebuild", "list_builds_for_project", "ids", projectName=f"build-{suffix}"
    )[:100]
    if newest:
        found = account.client("codebuild").batch_get_builds(ids=newest)["builds"]
        yield from (build["id"] for build in found if not build["buildComplete"])


def deployments(suffix: str, account: Account) -> Iterator[str]:
    """Yield the deployments that are not over."""
    yield from _unless_gone(
        account, "codedeploy", "list_deployments", "deployments",
        applicationName=f"application-{suffix}",
        deploymentGroupName=f"deployment-group-{suffix}",
        includeOnlyStatuses=ACTIVE_DEPLOYMENT,
    )  # fmt: skip


def _close_the_road(suffix: str, account: Account) -> None:
    """Keep commits that come now out of the Build stage, else a new execution follows the stopped one."""

    def close() -> None:
        account.client("codepipeline").disable_stage_transition(
            pipelineName=f"pipeline-{suffix}",
            stageName="Build",
            transitionType="Inbound",
            reason="the environment is being destroyed",
        )

    _tolerate(GONE, close)


def _stop_execution(suffix: str, account: Account, execution: str) -> None:
    account.client("codepipeline").stop_pipeline_execution(
        pipelineName=f"pipeline-{suffix}",
        pipelineExecutionId=execution,
        abandon=True,
        reason="the environment is being destroyed",
    )


def _stop_build(_suffix: str, account: Account, build: str) -> None:
    account.client("codebuild").stop_build(id=build)


def _stop_deployment(_suffix: str, account: Account, deployment: str) -> None:
    # Rolled back, the service has one task set again, as CloudFormation made it.
    account.client("codedeploy").stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)


def _wait_until_none(
    kind: str, find: Callable[[str, Account], Iterator[str]], suffix: str, account: Account
) -> None:
    def look() -> None:
        if left := list(find(suffix, account)):
            raise NotYetError(f"still running: {', '.join(left)}")

    wait_for(f"end of every {kind} of {suffix}", look, deadline=REST_SECONDS, interval=2)


def _tolerate(codes: frozenset[str], call: Callable[..., None], *arguments: Any) -> None:
    try:
        call(*arguments)
    except ClientError as error:
        if code_of(error) not in codes:
            raise


def _unless_gone(account: Account, service: str, operation: str, key: str, **arguments: Any) -> list[Any]:
    try:
        return list(account.pages(service, operation, key, **arguments))
    except ClientError as error:
        if code_of(error) in GONE:
            return []
        raise
