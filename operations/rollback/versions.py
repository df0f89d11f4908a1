"""The versions that a stage of a pipeline has released, and which of them it can release again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.errors import OperationsError
from operations.names import Names
from operations.why.executions import executions

# A repository keeps the last ten images, and those that are in use.
MOST_VERSIONS = 10
BUILD = ("Build", "Build")
Action = Mapping[str, Any]


@dataclass(frozen=True)
class Version:
    """A version that was released. `obstacle` says why it cannot be released again; empty if it can."""

    commit: str
    subject: str
    execution: str
    released: datetime
    image: str
    is_live: bool
    obstacle: str

    @property
    def title(self) -> str:
        """The commit and the subject of its message."""
        return f"{self.commit[:7]} ({self.subject})" if self.subject else self.commit[:7]


def find(account: Account, names: Names, stage: str) -> list[Version]:
    """Return the newest versions that `stage` has released, the newest first.

    CodePipeline rolls back to executions of its current version alone.
    Raises `OperationsError` without a pipeline, or without this stage.
    """
    releases = _releases(account, names, stage)
    if not releases:
        return []
    # A rollback has released the version of its target again.
    metadata = releases[0].get("rollbackMetadata", {})
    live = metadata.get("rollbackTargetPipelineExecutionId", releases[0]["pipelineExecutionId"])
    standard = [one for one in releases if one.get("executionType") != "ROLLBACK"][:MOST_VERSIONS]
    builds = _builds(account, names, {one["pipelineExecutionId"] for one in standard})
    missing = _missing_images(account, builds.values())
    found = []
    for one in standard:
        build = builds.get(one["pipelineExecutionId"], {})
        revision = one["sourceRevisions"][0]
        image = _image(build)
        found.append(
            Version(
                commit=revision["revisionId"],
                subject=revision.get("revisionSummary", "").partition("\n")[0],
                execution=one["pipelineExecutionId"],
                released=one["lastUpdateTime"],
                image=image,
                is_live=one["pipelineExecutionId"] == live,
                obstacle="its image has expired" if image in missing else _artifact_obstacle(account, build),
            )
        )
    return found


def is_named(version: Version, given: str) -> bool:
    """Return whether `given` is the execution of a version, or the beginning of its commit."""
    return version.execution == given or version.commit.startswith(given)


def chosen(found: Iterable[Version], given: str) -> Version:
    """Return the version that a person has named. Raises `OperationsError` if there is none."""
    version = next((one for one in found if is_named(one, given)), None)
    if version is None:
        raise OperationsError(
            f"{given!r} is none of the last {MOST_VERSIONS} versions that were live: --list prints them"
        )
    return version


def _releases(account: Account, names: Names, stage: str) -> list[Mapping[str, Any]]:
    try:
        # Twice, because each version may have been gone back to.
        return list(islice(executions(account, names, released_by=stage), 2 * MOST_VERSIONS))
    except ClientError as error:
        if code_of(error) == "StageNotFoundException":
            raise OperationsError(f"{names.pipeline} has no stage {stage}: check --promotion") from error
        raise


def _builds(account: Account, names: Names, executions: set[str]) -> dict[str, Action]:
    """Return the last run of the build of each execution; it stops at the page of the oldest one."""
    found: dict[str, Action] = {}
    actions = account.pages(
        "codepipeline", "list_action_executions", "actionExecutionDetails", pipelineName=names.pipeline
    )
    for action in actions:
        execution = action["pipelineExecutionId"]
        if (action["stageName"], action["actionName"]) == BUILD and execution in executions:
            found.setdefault(execution, action)
        if len(found) == len(executions):
            break
    return found


def _image(build: Action) -> str:
    return str(build.get("output", {}).get("outputVariables", {}).get("IMAGE_URI", ""))


def _missing_images(account: Account, builds: Iterable[Action]) -> set[str]:
    """Return the images that their repository no longer has."""
    images = {image for build in builds if (image := _image(build))}
    if not images:
        return set()
    repository = next(iter(images)).partition("/")[2].partition("@")[0]
    wanted = [{"imageDigest": image.partition("@")[2]} for image in sorted(images)]
    found = account.client("ecr").batch_get_image(repositoryName=repository, imageIds=wanted)
    gone = {one["imageId"]["imageDigest"] for one in found["failures"]}
    return {image for image in images if image.partition("@")[2] in gone}


def _artifact_obstacle(account: Account, build: Action) -> str:
    artifacts = build.get("output", {}).get("outputArtifacts", [])
    if not artifacts:
        return "CodePipeline no longer has its build"
    for artifact in artifacts:
        place = artifact["s3location"]
        try:
            account.client("s3").head_object(Bucket=place["bucket"], Key=place["key"])
        except ClientError as error:
            if code_of(error) not in ("404", "NoSuchKey"):
                raise
            return "its artifacts have expired"
    return ""
