"""Attacks by pipelines and people of other environments on a promotion, and by jobs of GitHub."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.local import SECOND_ACCOUNT, local_cloud, start_local_aws
from harness.stacks import CREATED, Stack, temporary_stack
from harness.synthesized_app import synthesized
from integration_tests.attacks.people import Person, role
from integration_tests.attacks.promotions import (
    EVERYTHING,
    SETTINGS,
    TARGET,
    promoting_pipeline,
    wait_for_approval,
)
from integration_tests.support.github import assume_role
from operations.protection import Protection, protect
from operations.waiting import NotYetError, wait_for

pytestmark = pytest.mark.local_only("it creates people with roles")


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
    with promoting_pipeline(cloud) as stack:
        yield stack


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
    token = wait_for_approval(cloud, pipeline, "InProgress")
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
        wait_for_approval(cloud, pipeline, "InProgress")
        approver = Person(cloud, approval_role, "mary", Person(second_account, approvers, "mary"))
        with pytest.raises(ClientError, match="AccessDenied"):
            approver.client("codepipeline").start_pipeline_execution(name=pipeline)
        put_approval(approver, pipeline, token)
        wait_for_approval(cloud, pipeline, "Succeeded")
    iam = cloud.client("iam")
    iam.delete_policy(PolicyArn=f"arn:aws:iam::{account}:policy/{protection.policy_name}")


def test_a_job_with_the_name_of_the_repository_and_without_its_ids_is_refused(cloud: Cloud) -> None:
    """attack G13: somebody registers the name that a GitHub account gave up."""
    resources = synthesized(cloud, *SETTINGS).part("AccessGithubRole", "AccessGithubProvider")
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        job = f"github-role-{stack.suffix}"
        for names in ("acme/greeter", "acme@99/greeter@22", "acme@11/greeter@77"):
            with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
                assume_role(cloud, job, f"repo:{names}:ref:refs/heads/main")
        assert assume_role(cloud, job, "repo:acme@11/greeter@22:ref:refs/heads/main")


def test_another_rule_cannot_write_to_the_event_log(cloud: Cloud, tmp_path: Path) -> None:
    """attack G14: a rule of one's own writes a release that never was into the event log.

    local_aws also reports it as a background error, so this test has a local_aws of its own.
    """
    group = synthesized(cloud, *SETTINGS).part("PipelineEventLogGroup")
    server = start_local_aws(tmp_path / "local_aws")
    try:
        alone = local_cloud(server, tmp_path)
        with temporary_stack(alone, group) as stack:
            assert stack.final_status() == CREATED, stack.failures()
            events, log = alone.client("events"), stack.physical_name("/aws/events/pipeline-the-suffix")
            target = f"arn:aws:logs:us-east-1:{alone.account.id}:log-group:{log}"
            for rule in ("forged", f"pipeline-events-{stack.suffix}"):
                events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
                events.put_targets(Rule=rule, Targets=[{"Id": "log", "Arn": target}])
                entry = {"Source": rule, "DetailType": "Release", "Detail": "{}"}
                events.put_events(Entries=[entry])
            streams = alone.client("logs")

            def look() -> str:
                found = str(streams.filter_log_events(logGroupName=log)["events"])
                if stack.suffix not in found or not server.background_errors():
                    raise NotYetError(found)
                return found

            written = wait_for("the event of the pipeline's own rule", look, deadline=30, interval=0.2)
            assert "forged" not in written
            for rule in ("forged", f"pipeline-events-{stack.suffix}"):
                events.remove_targets(Rule=rule, Ids=["log"])
                events.delete_rule(Name=rule)
    finally:
        errors = server.stop()
    assert errors
    assert all("no resource policy allows events.amazonaws.com logs:PutLogEvents" in each for each in errors)
