"""What makes the images that an environment promotes: its pipeline, and the CodeBuild projects of it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from operations.account import Account
from operations.errors import OperationsError
from operations.names import Names
from operations.why.executions import Action

BUILD = "Build"
MADE_IN = ("Source", BUILD)


@dataclass(frozen=True)
class Definition:
    """The definition of a pipeline; whoever owns it decides on its content, and AWS on version and times.

    AWS counts each update of a pipeline, and has the time of each update of a project:
    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineDeclaration.html and
    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Project.html
    So a change that was taken back again has another digest, too.
    """

    pipeline: str
    version: int
    updated: datetime
    # When each project was changed last.
    projects: Mapping[str, datetime]
    text: str

    @property
    def digest(self) -> str:
        """The digest of the definition, which an approver approves."""
        return f"sha256:{hashlib.sha256(self.text.encode()).hexdigest()}"

    def check_made(self, found: Iterable[Action]) -> None:
        """Raise OperationsError unless these actions ran with this definition, not an earlier one."""
        for action in found:
            ran, name, stage = action["pipelineVersion"], action["actionName"], action["stageName"]
            if stage in MADE_IN and ran != self.version:
                raise self._outdated(
                    f"{name} ran with version {ran}, and the pipeline has version {self.version}"
                )
            later = [part for part, when in self.projects.items() if when >= action["startTime"]]
            if stage == BUILD and later:
                raise self._outdated(f"{', '.join(later)} was changed after {name} had started")

    def _outdated(self, why: str) -> OperationsError:
        return OperationsError(
            f"{why}: the image was not made with the definition that is there now. Release the change again: "
            f"aws codepipeline start-pipeline-execution --name {self.pipeline}"
        )


def read_definition(account: Account, names: Names) -> Definition:
    """Read the definition of a pipeline. Raises OperationsError if one of its projects is missing."""
    found = account.client("codepipeline").get_pipeline(name=names.pipeline)
    pipeline, metadata = found["pipeline"], found["metadata"]
    wanted = sorted(
        {
            action["configuration"]["ProjectName"]
            for stage in pipeline["stages"]
            for action in stage["actions"]
            if action["actionTypeId"]["provider"] == "CodeBuild"
        }
    )
    projects = account.client("codebuild").batch_get_projects(names=wanted)["projects"] if wanted else []
    by_name = {each["name"]: each for each in projects}
    if missing := sorted(set(wanted) - by_name.keys()):
        raise OperationsError(f"{names.pipeline} has actions of {', '.join(missing)}, which is not there")
    # The time of its creation, because a new pipeline of that name counts from 1.
    content = {
        "created": metadata["created"],
        "pipeline": pipeline,
        "projects": [by_name[name] for name in wanted],
    }
    return Definition(
        names.pipeline,
        pipeline["version"],
        metadata["updated"],
        {name: by_name[name]["lastModified"] for name in wanted},
        json.dumps(content, indent=1, sort_keys=True, default=_written),
    )


def _written(value: Any) -> str:
    """Write a time in UTC: boto3 returns it in the time zone of the machine."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{value!r} is no part of a definition")
