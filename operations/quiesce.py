"""Stop what runs in an environment, because it can make the deletion of the stack fail (pitfall I2)."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.names import Names
from operations.waiting import NotYetError, wait_for

Log = Callable[[str], None]

# A stopped deployment shifts the traffic back first.
DEADLINE_SECONDS = 900.0
# The error codes for what does not exist, and for what has ended or was stopped meanwhile.
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


def quiesce(suffix: str, account: Account, log: Log, *, dry_run: bool = False) -> None:
    """Stop the pipeline's executions, then builds and deployments, and wait until all have ended."""
    if not dry_run:
        _disable_build_transition(suffix, account)
    running = {
        "pipeline execution": (executions, _stop_execution),
        "build": (builds, _stop_build),
        "deployment": (deployments, _stop_deployment),
    }
    for kind, (find, stop) in running.items():
        for found in list(find(suffix, account)):
            log(f"{'would stop' if dry_run else 'stopping'} {kind} {found}")
            if not dry_run:
                _tolerate(ENDED_MEANWHILE, stop, suffix, account, found)
    if not dry_run:
        for kind, (find, _) in running.items():
            _wait_until_none(kind, find, suffix, account)


def executions(suffix: str, account: Account) -> Iterator[str]:
    """Yield the active pipeline executions."""
    found = _unless_gone(
        account, "codepipeline", "list_pipeline_executions", "pipelineExecutionSummaries",
        pipelineName=Names(suffix).pipeline,
    )  # fmt: skip
    yield from (one["pipelineExecutionId"] for one in found if one["status"] in ("InProgress", "Stopping"))


def builds(suffix: str, account: Account) -> Iterator[str]:
    """Yield the active builds."""
    names = Names(suffix)
    for project in (names.test_project, names.build_project, names.promotion_project):
        # The newest first: a project with one build at a time has no active one beyond these.
        newest = _unless_gone(account, "codebuild", "list_builds_for_project", "ids", projectName=project)[
            :100
        ]
        if newest:
            found = account.client("codebuild").batch_get_builds(ids=newest)["builds"]
            yield from (build["id"] for build in found if not build["buildComplete"])


def deployments(suffix: str, account: Account) -> Iterator[str]:
    """Yield the active deployments."""
    yield from _unless_gone(
        account, "codedeploy", "list_deployments", "deployments",
        applicationName=Names(suffix).application,
        deploymentGroupName=Names(suffix).deployment_group,
        includeOnlyStatuses=ACTIVE_DEPLOYMENT,
    )  # fmt: skip


def _disable_build_transition(suffix: str, account: Account) -> None:
    """Keep new commits out of the Build stage, so that no further execution starts a build."""

    def disable() -> None:
        account.client("codepipeline").disable_stage_transition(
            pipelineName=Names(suffix).pipeline,
            stageName="Build",
            transitionType="Inbound",
            reason="the environment is being destroyed",
        )

    _tolerate(GONE, disable)


def _stop_execution(suffix: str, account: Account, execution: str) -> None:
    account.client("codepipeline").stop_pipeline_execution(
        pipelineName=Names(suffix).pipeline,
        pipelineExecutionId=execution,
        abandon=True,
        reason="the environment is being destroyed",
    )


def _stop_build(_suffix: str, account: Account, build: str) -> None:
    account.client("codebuild").stop_build(id=build)


def _stop_deployment(_suffix: str, account: Account, deployment: str) -> None:
    # After the rollback, the service has one task set, which CloudFormation can delete.
    account.client("codedeploy").stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)


def _wait_until_none(
    kind: str, find: Callable[[str, Account], Iterator[str]], suffix: str, account: Account
) -> None:
    def check() -> None:
        if left := list(find(suffix, account)):
            raise NotYetError(f"still running: {', '.join(left)}")

    wait_for(f"end of every {kind} of {suffix}", check, deadline=DEADLINE_SECONDS, interval=2)


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
