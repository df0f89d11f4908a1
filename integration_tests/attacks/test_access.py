"""Attacks by pipelines and people of other environments on a promotion, and by jobs of GitHub."""

import json
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.local import SECOND_ACCOUNT
from integration_tests.attacks.people import Person, role
from integration_tests.pitfalls.stacks import CREATED, Stack, temporary_stack
from integration_tests.pitfalls.synthesized_templates import synthesized
from operations.protection import Protection, protect
from operations.waiting import NotYetError, wait_for

pytestmark = pytest.mark.local_only("it creates people with roles")

TARGET = "prod"
EVERYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


# An environment that qa promotes to, and which promotes to prod.
SETTINGS = (f"promotedFrom=qa@{SECOND_ACCOUNT}", f"promoteTo={TARGET}@{SECOND_ACCOUNT}")


def test_the_pipeline_of_another_environment_cannot_release_here(cloud: Cloud, second_account: Cloud) -> None:
    """attack G4: a role of the account is named as a pipeline's, of an environment that nobody trusts."""
    resources = synthesized(cloud, *SETTINGS).part("AccessCrossAccountRole")
    with (
        temporary_stack(cloud, resources) as stack,
        role(second_account, "pipeline-role-evil", EVERYTHING),
        role(second_account, "pipeline-role-qa", EVERYTHING),
    ):
        assert stack.final_status() == CREATED, stack.failures()
        target = f"arn:aws:iam::{cloud.account.id}:role/cross-account-role-{stack.suffix}"
        with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
            Person(cloud, target, "evil", Person(second_account, "pipeline-role-evil", "evil"))
        assert Person(cloud, target, "qa", Person(second_account, "pipeline-role-qa", "qa"))


@pytest.fixture(scope="module")
def promotion(cloud: Cloud) -> Iterator[Stack]:
    """The pipeline of an environment whose promotion to prod waits for an approval."""
    resources = synthesized(cloud, *SETTINGS).part(f"AccessApprovalRole{TARGET}")
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        name = f"pipeline-{stack.suffix}"
        with role(cloud, f"runs-{stack.suffix}", EVERYTHING) as runs:
            trust = {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}}
            document = {"Version": "2012-10-17", "Statement": [{**trust, "Action": "sts:AssumeRole"}]}
            iam = cloud.client("iam")
            iam.update_assume_role_policy(RoleName=runs, PolicyDocument=json.dumps(document))
            create_pipeline(cloud, name, f"arn:aws:iam::{cloud.account.id}:role/{runs}")
            yield stack
            cloud.client("codepipeline").delete_pipeline(name=name)
            cloud.client("codecommit").delete_repository(repositoryName=name)


def create_pipeline(cloud: Cloud, name: str, runs: str) -> None:
    """Create a pipeline with a source, and an approval as a promotion has it."""
    cloud.client("codecommit").create_repository(repositoryName=name)
    cloud.client("codecommit").put_file(
        repositoryName=name, branchName="main", filePath="a", fileContent=b"1"
    )
    cloud.client("s3").create_bucket(Bucket=name)
    kind = {"owner": "AWS", "version": "1"}
    source = {
        "name": "Source",
        "actionTypeId": {**kind, "category": "Source", "provider": "CodeCommit"},
        "configuration": {"RepositoryName": name, "BranchName": "main", "PollForSourceChanges": "false"},
        "outputArtifacts": [{"name": "SourceOutput"}],
    }
    approve = {
        "name": f"Approve-{TARGET}",
        "actionTypeId": {**kind, "category": "Approval", "provider": "Manual"},
    }
    stages = [
        {"name": "Source", "actions": [source]},
        {"name": f"Promote-{TARGET}", "actions": [approve]},
    ]
    cloud.client("codepipeline").create_pipeline(
        pipeline={
            "name": name,
            "roleArn": runs,
            "artifactStore": {"type": "S3", "location": name},
            "stages": stages,
            "pipelineType": "V2",
            "executionMode": "SUPERSEDED",
        }
    )


def approval(cloud: Cloud, pipeline: str, wanted: str) -> str:
    """Wait until the approval has the status `wanted`; return its token, which only a pending one has."""

    def look() -> str:
        state = cloud.client("codepipeline").get_pipeline_state(name=pipeline)
        found = state["stageStates"][1]["actionStates"][0].get("latestExecution", {})
        if found.get("status") != wanted:
            raise NotYetError(str(found))
        return str(found.get("token", ""))

    return wait_for(f"the approval of {pipeline}", look, deadline=60, interval=0.2)


def put_approval(person: Person, pipeline: str, token: str) -> None:
    """Approve the promotion."""
    person.client("codepipeline").put_approval_result(
        pipelineName=pipeline,
        stageName=f"Promote-{TARGET}",
        actionName=f"Approve-{TARGET}",
        result={"summary": "mine", "status": "Approved"},
        token=token,
    )


def test_only_an_approver_of_the_target_approves_a_promotion(
    cloud: Cloud, second_account: Cloud, promotion: Stack
) -> None:
    """attacks G5, G6: an author approves, takes the role that approves, or takes the approval out."""
    pipeline, account = f"pipeline-{promotion.suffix}", cloud.account.id
    approval_role = f"arn:aws:iam::{account}:role/approval-role-{TARGET}-{promotion.suffix}"
    protection = Protection(promotion.suffix, cloud.account)
    # As the deployed stack would have it.
    protection.__dict__["settings"] = {"promoteTo": f"{TARGET}@{SECOND_ACCOUNT}"}
    token = approval(cloud, pipeline, "InProgress")
    with (
        role(cloud, f"developers-{promotion.suffix}") as developers,
        role(second_account, f"approver-role-{TARGET}", EVERYTHING) as approvers,
        role(second_account, "somebody-there", EVERYTHING) as others,
    ):
        protect(protection, print, role=developers)
        author = Person(cloud, developers, "author")
        attempts: list[Callable[[], object]] = [
            lambda: put_approval(author, pipeline, token),
            lambda: author.client("codepipeline").update_pipeline(
                pipeline=cloud.client("codepipeline").get_pipeline(name=pipeline)["pipeline"]
            ),
            lambda: Person(cloud, approval_role, "author", author),
        ]
        for attempt in attempts:
            with pytest.raises(ClientError, match="AccessDenied"):
                attempt()
        with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
            Person(cloud, approval_role, "other", Person(second_account, others, "other"))
        approval(cloud, pipeline, "InProgress")
        approver = Person(cloud, approval_role, "mary", Person(second_account, approvers, "mary"))
        with pytest.raises(ClientError, match="AccessDenied"):
            approver.client("codepipeline").start_pipeline_execution(name=pipeline)
        put_approval(approver, pipeline, token)
        approval(cloud, pipeline, "Succeeded")
    iam = cloud.client("iam")
    iam.delete_policy(PolicyArn=f"arn:aws:iam::{account}:policy/{protection.policy_name}")
