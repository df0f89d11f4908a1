"""A pipeline for one test: its executions, and why an action of one failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.cloud import Cloud
from harness.stacks import CREATED, Stack, temporary_stack
from harness.synthesized_app import ARTIFACTS, Resources, synthesized
from operations.waiting import NotYetError, wait_for

FINAL = ("Succeeded", "Failed", "Abandoned")


@dataclass(frozen=True)
class Outcome:
    """The result of an action; `code` and `message` are AWS's if it failed."""

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
        """Return the summaries of its executions, newest first."""
        answer = self.client.list_pipeline_executions(pipelineName=self.name)
        found: list[dict[str, Any]] = answer["pipelineExecutionSummaries"]
        return found

    def start(self) -> str:
        """Start an execution; return its id."""
        return str(self.client.start_pipeline_execution(name=self.name)["pipelineExecutionId"])

    def actions(self, run: str) -> list[dict[str, Any]]:
        """Return the actions of an execution, newest first; a retried action is listed once per attempt."""
        answer = self.client.list_action_executions(
            pipelineName=self.name, filter={"pipelineExecutionId": run}
        )
        found: list[dict[str, Any]] = answer["actionExecutionDetails"]
        return found

    def outcome(self, action: str, run: str = "", times: int = 1) -> Outcome:
        """Wait until `action` of an execution (default: the newest) has ended for the nth time."""

        def look() -> Outcome:
            runs = [run] if run else [one["pipelineExecutionId"] for one in self.runs()][:1]
            found = [one for each in runs for one in self.actions(each) if one["actionName"] == action]
            if len(found) < times or found[0]["status"] not in FINAL:
                raise NotYetError(f"{action}: {[one['status'] for one in found]} of {runs}")
            error = found[0].get("output", {}).get("executionResult", {}).get("errorDetails", {})
            return Outcome(found[0]["status"], error.get("code", ""), error.get("message", ""))

        return wait_for(f"{action} of {self.name}", look, deadline=self.cloud.minutes(45), interval=0.2)


def source(cloud: Cloud) -> Resources:
    """Return the resources of the pipeline's Source stage; the transition to Build is disabled."""
    resources = synthesized(cloud).part(
        "PipelinePipeline",
        "PipelineSourceRule",
        *ARTIFACTS,
        without=("PipelineDeploymentApplication", "PipelineDeploymentGroup"),
    )
    disabled = {"StageName": "Build", "Reason": "a test of the Source stage"}
    resources["PipelinePipeline"]["Properties"]["DisableInboundStageTransitions"] = [disabled]
    return resources


@contextmanager
def pipeline_of(cloud: Cloud, resources: Resources) -> Iterator[tuple[Stack, Pipeline]]:
    """Create a stack with a pipeline; delete it when the context closes."""
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        yield stack, Pipeline(cloud, stack.physical_name("pipeline-the-suffix"))
