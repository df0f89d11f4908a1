"""The CodeCommit repository, seeded with the service, and the rule that starts the pipeline."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from aws_cdk import RemovalPolicy
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infrastructure.config.catalogue import SAMPLE_FOLDER
from infrastructure.config.settings import Config
from infrastructure.constructs.roles import allow, arn, create_role, service_principal
from infrastructure.errors import AppError
from infrastructure.naming import BRANCH, Names

PROJECT = Path(__file__).resolve().parent.parent.parent
# What a service decides: not the buildspecs, appspec.yaml and taskdef.json of the platform (attack C2).
CONTRACT_FILES = ("Dockerfile", ".dockerignore")
OPTIONAL_FILES = (".hadolint.yaml",)
# What tests and tools write is not part of the service (pitfall B4).
IGNORED = ("__pycache__", "*.pyc", ".*_cache", ".venv", ".coverage", "reports", "*.egg-info", ".DS_Store")


class SeedError(AppError):
    """A file of the seed does not exist."""


def copy_sample_seed(project: Path, folder: Path) -> None:
    """Copy the seed of the sample's repository: the contract files, and the service with its tests.

    Raises SeedError for a missing file.
    """
    for name in CONTRACT_FILES + OPTIONAL_FILES:
        if (project / name).is_file():
            shutil.copyfile(project / name, folder / name)
        elif name in CONTRACT_FILES:
            raise SeedError(f"{project / name} is missing: the CodeCommit repository is seeded with it")
    if not (project / SAMPLE_FOLDER).is_dir():
        raise SeedError(f"{project / SAMPLE_FOLDER} is missing: the CodeCommit repository is seeded with it")
    shutil.copytree(project / SAMPLE_FOLDER, folder / SAMPLE_FOLDER, ignore=shutil.ignore_patterns(*IGNORED))


def copy_service_seed(service: Path, folder: Path) -> None:
    """Copy the seed of a further service: its folder. Raises SeedError for a missing file."""
    for name in CONTRACT_FILES:
        if not (service / name).is_file():
            raise SeedError(f"{service / name} is missing: `make new-service` writes such a folder")
    shutil.copytree(service, folder, ignore=shutil.ignore_patterns(*IGNORED), dirs_exist_ok=True)


def seeded_repository(scope: Construct, id_: str, *, config: Config) -> codecommit.Repository:
    """Create the repository with a first commit on `main`, for the first execution (pitfall B3).

    AWS reads the seed only when it creates the repository; later versions arrive by `git push` (pitfall B4).
    """
    with tempfile.TemporaryDirectory() as folder:
        if config.service.is_sample:
            copy_sample_seed(PROJECT, Path(folder))
        else:
            copy_service_seed(PROJECT / config.service.folder, Path(folder))
        seed = s3_assets.Asset(scope, f"{id_}Seed", path=folder)
    repository = codecommit.Repository(
        scope,
        id_,
        repository_name=config.names.repository,
        description="The service: a push to main releases it",
        code=codecommit.Code.from_asset(seed, BRANCH),
    )
    repository.apply_removal_policy(RemovalPolicy.DESTROY)
    return repository


def source_stage(fetch: codepipeline.IAction) -> codepipeline.StageProps:
    """Return the stage Source, which CodePipeline retries once when it has failed.

    It runs nothing of the commit. What stays (pitfall B3) fails twice: docs/decisions/10-retries.md.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html
    """
    return codepipeline.StageProps(
        stage_name="Source",
        actions=[fetch],
        on_failure=codepipeline.FailureConditions(
            result=codepipeline.Result.RETRY, retry_mode=codepipeline.RetryMode.FAILED_ACTIONS
        ),
    )


def start_on_push(
    scope: Construct,
    *,
    names: Names,
    repository: codecommit.IRepository,
    pipeline: codepipeline.IPipeline,
) -> None:
    """Start the pipeline for each push to main; the seed, older than the rule, starts nothing."""
    role = _rule_role(scope, names)
    rule = events.Rule(
        scope,
        "SourceRule",
        rule_name=names.qualified("source-rule"),
        description=f"A push to {BRANCH} starts the pipeline",
        event_pattern=events.EventPattern(
            source=["aws.codecommit"],
            detail_type=["CodeCommit Repository State Change"],
            resources=[repository.repository_arn],
            detail={
                "event": ["referenceCreated", "referenceUpdated"],
                "referenceType": ["branch"],
                "referenceName": [BRANCH],
            },
        ),
    )
    rule.add_target(targets.CodePipeline(pipeline, event_role=role.without_policy_updates()))


def _rule_role(scope: Construct, names: Names) -> iam.Role:
    return create_role(
        scope,
        "SourceRuleRole",
        name=names.qualified("source-rule-role"),
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html
        assumed_by=service_principal(
            "events", source_arn=arn(scope, "events", f"rule/{names.qualified('source-rule')}")
        ),
        description="Starts the pipeline when main moves",
        statements=[
            allow(
                "StartThePipeline",
                ["codepipeline:StartPipelineExecution"],
                [arn(scope, "codepipeline", names.pipeline)],
            )
        ],
    )
