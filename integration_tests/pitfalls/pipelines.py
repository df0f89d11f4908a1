"""A pipeline of a trap's own, and what the trap sees of it: its runs, and why an action of one failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.cloud import Cloud
from integration_tests.pitfalls.stacks import CREATED, Stack, stack
from integration_tests.pitfalls.synthesized_templates import ARTIFACTS, Resources, synthesized
from operations.waiting import NotYetError, wait_for

OVER = ("Succeeded", "Failed", "Abandoned")


@dataclass(frozen=True)
class Outcome:
    """How an action ended; `code` and `words` are AWS's when it failed."""

    status: str
    code: str = ""
    message: str = ""


class Pipeline:
    """The pipeline `name`."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.cloud = cloud
        self.name = name
        self.client = cloud.client("codepipeline")

    def runs(self) -> list[dict[str, Any]]:
        """Return the summaries of its executions, the newest first."""
        answer = self.client.list_pipeline_executions(pipelineName=self.name)
        found: list[dict[str, Any]] = answer["pipelineExecutionSummaries"]
        return found

    def start(self) -> str:
        """Start a run by hand; return its id."""
        return str(self.client.start_pipeline_execution(name=self.name)["pipelineExecutionId"])

    def actions(self, run: str) -> list[dict[str, Any]]:
        """Return the actions of a run, the newest first: one that was retried is there for each time."""
        answer = self.client.list_action_executions(
            pipelineName=self.name, filter={"pipelineExecutionId": run}
        )
        found: list[dict[str, Any]] = answer["actionExecutionDetails"]
        return found

    def outcome(self, action: str, run: str = "", times: int = 1) -> Outcome:
        """Wait until `action` of a run (the newest) has come to its end for the nth time."""

        def look() -> Outcome:
            runs = [run] if run else [one["pipelineExecutionId"] for one in self.runs()][:1]
            found = [one for each in runs for one in self.actions(each) if one["actionName"] == action]
            if len(found) < times or found[0]["status"] not in OVER:
                raise NotYetError(f"{action}: {[one['status'] for one in found]} of {runs}")
            error = found[0].get("output", {}).get("executionResult", {}).get("errorDetails", {})
            return Outcome(found[0]["status"], error.get("code", ""), error.get("message", ""))

        return wait_for(f"{action} of {self.name}", look, deadline=self.cloud.minutes(45), interval=0.2)


def source(cloud: Cloud) -> Resources:
    """Return the shipped road as far as its Source stage: nothing passes on to the Build stage."""
    resources = synthesized(cloud).part(
        "PipelinePipeline",
        "PipelineSourceRule",
        *ARTIFACTS,
        without=("PipelineDeploymentApplication", "PipelineDeploymentGroup"),
    )
    held = {"StageName": "Build", "Reason": "this is about the Source stage"}
    resources["PipelinePipeline"]["Properties"]["DisableInboundStageTransitions"] = [held]
    return resources


@contextmanager
def pipeline_of(cloud: Cloud, resources: Resources) -> Iterator[tuple[Stack, Pipeline]]:
    """Create a stack with a pipeline in it for a while."""
    with stack(cloud, resources) as made:
        assert made.settled() == CREATED, made.failures()
        yield made, Pipeline(cloud, made.named("pipeline-the-suffix"))
