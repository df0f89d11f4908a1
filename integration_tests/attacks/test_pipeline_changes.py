"""Attacks by whom a pipeline belongs to: it makes other images for the environment that it promotes to."""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from harness.cloud import Cloud
from harness.stacks import Stack
from integration_tests.attacks.people import Person, role
from integration_tests.attacks.promotions import (
    EVERYTHING,
    TARGET,
    create_project,
    promoting_pipeline,
    wait_for_approval,
)
from operations.approve import Approvers, Source, approve
from operations.errors import OperationsError
from operations.names import Names

pytestmark = pytest.mark.local_only("it creates people with roles")

IMAGE, OTHER = (f"sha256:{digit * 64}" for digit in "ab")
NOT_APPROVED = "no approver of prod has approved pipeline-"


def buildspec(digest: str) -> str:
    """Return the buildspec of a Build that says it has made this image."""
    return f"""version: 0.2
env:
  exported-variables: [IMAGE_URI]
phases:
  build:
    commands:
      - export IMAGE_URI=images@{digest}
"""


@dataclass
class Promotion:
    """A pipeline that promotes to prod, whose approver is mary."""

    cloud: Cloud
    stack: Stack
    people: Approvers

    @property
    def names(self) -> Names:
        """The names of the environment that promotes."""
        return Names(self.stack.suffix)

    def release(self) -> str:
        """Start an execution, and wait until it asks for the approval; return its commit."""
        codepipeline, name = self.cloud.client("codepipeline"), self.names.pipeline
        execution = codepipeline.start_pipeline_execution(name=name)["pipelineExecutionId"]
        return self.pending(execution)

    def pending(self, execution: str) -> str:
        """Wait until an execution asks for the approval; return its commit."""
        codepipeline, name = self.cloud.client("codepipeline"), self.names.pipeline
        wait_for_approval(self.cloud, name, "InProgress", execution)
        found = codepipeline.get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
        return str(found["pipelineExecution"]["artifactRevisions"][0]["revisionId"])

    def approve(self, commit: str, definition: str = "") -> list[str]:
        """Approve a commit as mary, who sees the pipeline as it is now; return what she is told."""
        told: list[str] = []
        self.people.__dict__.pop("definition", None)
        approve(self.people, commit, told.append, definition=definition)
        return told

    def refusal(self, commit: str) -> str:
        """Try to approve a commit; return why it is refused."""
        with pytest.raises(OperationsError) as caught:
            self.approve(commit)
        return str(caught.value)

    def approved(self) -> str:
        """Return what prod's hook reads."""
        ssm = self.people.account.client("ssm")
        return str(ssm.get_parameter(Name=Names(TARGET).approved_image)["Parameter"]["Value"])

    def build_with(self, text: str) -> None:
        """Change the buildspec of Build, as whoever may deploy this environment can."""
        source = {"type": "CODEPIPELINE", "buildspec": text}
        self.cloud.client("codebuild").update_project(name=self.names.build_project, source=source)


@pytest.fixture
def promotion(cloud: Cloud, second_account: Cloud) -> Iterator[Promotion]:
    """A pipeline that promotes to prod in another account, with a first release that mary has approved."""
    with (
        approved_image(second_account),
        promoting_pipeline(cloud, buildspec(IMAGE)) as stack,
        role(second_account, Names(TARGET).approver_role, EVERYTHING) as approvers,
    ):
        mary = Person(second_account, approvers, "mary")
        people = Approvers(TARGET, Source(stack.suffix, cloud.account.id), mary.account)
        found = Promotion(cloud, stack, people)
        # CodePipeline starts a pipeline as it creates it.
        (first,) = cloud.account.pages(
            "codepipeline",
            "list_pipeline_executions",
            "pipelineExecutionSummaries",
            pipelineName=found.names.pipeline,
        )
        commit = found.pending(first["pipelineExecutionId"])
        # The first definition is nobody's yet.
        assert NOT_APPROVED in found.refusal(commit)
        assert found.approved() == "none"
        found.approve(commit, found.people.definition.digest)
        wait_for_approval(cloud, found.names.pipeline, "Succeeded")
        yield found


@contextmanager
def approved_image(cloud: Cloud) -> Iterator[None]:
    """Create the parameter that prod's stack has; delete it when the context closes."""
    ssm, name = cloud.client("ssm"), Names(TARGET).approved_image
    ssm.put_parameter(Name=name, Value="none", Type="String")
    try:
        yield
    finally:
        ssm.delete_parameter(Name=name)


def test_a_change_of_the_pipeline_needs_the_approval_of_the_target(promotion: Promotion) -> None:
    """attack G23: Build makes another image of a reviewed commit, whose digest looks as good as any other."""
    commit = promotion.release()
    told = "\n".join(promotion.approve(commit))
    assert re.search(rf"{promotion.names.pipeline} is as approved by mary on \d", told)
    before = promotion.approved()
    assert before == f"{IMAGE} {promotion.people.definition.digest}"

    promotion.build_with(buildspec(OTHER))
    commit = promotion.release()
    assert NOT_APPROVED in promotion.refusal(commit)
    # One that was approved is no approval of the next.
    with pytest.raises(OperationsError, match=NOT_APPROVED):
        promotion.approve(commit, before.partition(" ")[2])
    assert promotion.approved() == before
    assert wait_for_approval(promotion.cloud, promotion.names.pipeline, "InProgress")

    promotion.approve(commit, promotion.people.definition.digest)
    assert promotion.approved() == f"{OTHER} {promotion.people.definition.digest}"


def test_a_change_that_is_taken_back_before_the_approval_is_seen(promotion: Promotion) -> None:
    """attack G24: Build makes another image, and looks as before when an approver reads it."""
    promotion.build_with(buildspec(OTHER))
    commit = promotion.release()
    promotion.build_with(buildspec(IMAGE))
    assert f"{promotion.names.build_project} was changed after Build had started" in promotion.refusal(commit)
    assert promotion.approved().startswith(IMAGE)


def test_a_version_of_the_pipeline_that_is_taken_back_is_seen(promotion: Promotion) -> None:
    """attack G24: a version of the pipeline has another project build, and the next one is as before."""
    client, name = promotion.cloud.client("codepipeline"), promotion.names.pipeline
    declared: dict[str, Any] = client.get_pipeline(name=name)["pipeline"]
    other = copy.deepcopy(declared)
    mine = f"mine-{promotion.stack.suffix}"
    create_project(promotion.cloud, mine, declared["roleArn"], buildspec(OTHER))
    other["stages"][1]["actions"][0]["configuration"]["ProjectName"] = mine
    client.update_pipeline(pipeline=other)
    commit = promotion.release()
    client.update_pipeline(pipeline=declared)
    assert "ran with version 2, and the pipeline has version 3" in promotion.refusal(commit)
    promotion.cloud.client("codebuild").delete_project(name=mine)
