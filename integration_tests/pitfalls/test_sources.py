"""Pitfalls of the Source stage: the repository, its branch, and the trigger of an execution."""

import os

import pytest

from harness.cloud import Cloud
from harness.stacks import CREATED, Stack, archive, assets, temporary_stack
from harness.synthesized_app import synthesized
from integration_tests.pitfalls.pipelines import Outcome, pipeline_of, source
from operations.waiting import NotYetError, wait_for

SUCCEEDED = Outcome("Succeeded")


def no_branch(branch: str, repository: str) -> Outcome:
    return Outcome(
        "Failed",
        "ConfigurationError",
        f"The action failed because no branch named {branch} was found in the selected AWS CodeCommit "
        f"repository {repository}. Make sure you are using the correct branch name, and then try again."
        " Error: null",
    )


def push(stack: Stack, text: str) -> str:
    """Commit a file to main; return the commit."""
    client, name = stack.cloud.client("codecommit"), stack.physical_name("repository-the-suffix")
    head = client.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"]
    file = {"filePath": "note.txt", "fileContent": text.encode()}
    answer = client.create_commit(
        repositoryName=name, branchName="main", parentCommitId=head, putFiles=[file]
    )
    return str(answer["commitId"])


def test_a_repository_without_a_seed_fails_the_first_run(cloud: Cloud) -> None:
    """pitfall B3: the branch main does not exist, and CodePipeline retries the stage once, by itself.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RetryStageMetadata.html
    """
    resources = source(cloud)
    del resources["PipelineRepository"]["Properties"]["Code"]
    with pipeline_of(cloud, resources) as (stack, pipeline):
        failed = no_branch("main", stack.physical_name("repository-the-suffix"))
        assert pipeline.outcome("Source", times=2) == failed

        def look() -> str:
            (run,) = pipeline.runs()
            if run["status"] == "InProgress":
                raise NotYetError(str(run))
            return str(run["pipelineExecutionId"])

        run = wait_for("the end of the first run", look, deadline=cloud.minutes(3), interval=0.2)
        assert [one["status"] for one in pipeline.actions(run)] == ["Failed", "Failed"], "it ends after one"
        stage = pipeline.client.get_pipeline_state(name=pipeline.name)["stageStates"][0]
        retried = {"autoStageRetryAttempt": 1, "latestRetryTrigger": "AutomatedStageRetry"}
        assert stage["retryStageMetadata"] == retried


def test_a_source_action_that_watches_master_finds_no_branch(cloud: Cloud) -> None:
    """pitfall B5: the CDK's default without the feature flag and without a branch."""
    resources = source(cloud)
    action = resources["PipelinePipeline"]["Properties"]["Stages"][0]["Actions"][0]
    action["Configuration"]["BranchName"] = "master"
    with pipeline_of(cloud, resources) as (stack, pipeline):
        assert pipeline.outcome("Source") == no_branch("master", stack.physical_name("repository-the-suffix"))


def test_the_first_run_does_not_wait_for_a_policy_that_comes_later(cloud: Cloud) -> None:
    """pitfall B6: a separate policy on which nothing depends may be created after the pipeline."""
    resources = source(cloud)
    role = resources["PipelineSourceActionRole"]["Properties"]
    (policy,) = role.pop("Policies")
    with pipeline_of(cloud, resources) as (stack, pipeline):
        first = pipeline.outcome("Source")
        assert (first.status, first.code) == ("Failed", "PermissionError")
        assert first.message.startswith(
            "The service role or action role doesn't have the permissions required to access the AWS "
            f"CodeCommit repository named {stack.physical_name('repository-the-suffix')}. "
            "Update the IAM role permissions, and then try again."
        )
        attached = {**policy, "Roles": [{"Ref": "PipelineSourceActionRole"}]}
        resources["LatePolicy"] = {"Type": "AWS::IAM::Policy", "Properties": attached}
        assert stack.update({"Resources": resources}) == "UPDATE_COMPLETE", stack.failures()
        assert pipeline.outcome("Source", pipeline.start()) == SUCCEEDED


def test_a_polled_source_with_a_rule_runs_twice_for_one_push(cloud: Cloud) -> None:
    """pitfall E1: the default of PollForSourceChanges is true."""
    resources = source(cloud)
    action = resources["PipelinePipeline"]["Properties"]["Stages"][0]["Actions"][0]
    del action["Configuration"]["PollForSourceChanges"]
    with pipeline_of(cloud, resources) as (stack, pipeline):
        assert pipeline.outcome("Source") == SUCCEEDED
        push(stack, "one push")

        def look() -> None:
            triggers = sorted(run["trigger"]["triggerType"] for run in pipeline.runs())
            if triggers != ["CloudWatchEvent", "CreatePipeline", "PollForSourceChanges"]:
                raise NotYetError(str(triggers))

        wait_for("both runs of one push", look, deadline=cloud.minutes(3), interval=0.2)


def test_the_synthesized_source_starts_once_by_itself_and_once_per_push(cloud: Cloud) -> None:
    """pitfalls B3, B5, B6, E1: the synthesized pipeline succeeds."""
    with pipeline_of(cloud, source(cloud)) as (stack, pipeline):
        assert pipeline.outcome("Source") == SUCCEEDED
        assert [run["trigger"]["triggerType"] for run in pipeline.runs()] == ["CreatePipeline"]
        for number in range(2):
            commit = push(stack, f"push {number}")

            def look(commit: str = commit) -> None:
                seen = [one["revisionId"] for run in pipeline.runs() for one in run["sourceRevisions"]]
                if commit not in seen:
                    raise NotYetError(str(seen))

            # A poll of the first push would have started an execution before the second push.
            wait_for(f"the run of {commit}", look, deadline=cloud.minutes(3), interval=0.2)
        triggers = [run["trigger"]["triggerType"] for run in pipeline.runs()]
        assert triggers == ["CloudWatchEvent", "CloudWatchEvent", "CreatePipeline"]


@pytest.mark.parametrize("megabytes", [21, 1])
def test_a_seed_is_at_most_20_mb_compressed(cloud: Cloud, megabytes: int) -> None:
    """pitfall B4: an asset includes every file of its folder."""
    resources = synthesized(cloud).part("PipelineRepository")
    place = resources["PipelineRepository"]["Properties"]["Code"]["S3"]
    noise = os.urandom(megabytes * 1024 * 1024)  # It does not compress.
    place |= {"Bucket": assets(cloud), "Key": f"seed-of-{megabytes}-mb.zip"}
    cloud.client("s3").put_object(**{k: place[k] for k in ("Bucket", "Key")}, Body=archive({"venv": noise}))
    with temporary_stack(cloud, resources) as stack:
        if megabytes > 20:
            assert stack.final_status() == "ROLLBACK_COMPLETE"
            assert "Code archive supplied cannot be more than 20 MB compressed" in stack.failures()
        else:
            assert stack.final_status() == CREATED, stack.failures()


def test_a_changed_seed_is_silently_ignored(cloud: Cloud) -> None:
    """pitfall B4: AWS reads it only when it creates the repository, so updates need `git push`."""
    resources = synthesized(cloud).part("PipelineRepository")
    with temporary_stack(cloud, resources) as stack:
        name = stack.physical_name("repository-the-suffix")
        client = cloud.client("codecommit")
        before = client.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"]
        place = resources["PipelineRepository"]["Properties"]["Code"]["S3"]
        place |= {"Bucket": assets(cloud), "Key": "another-seed.zip"}
        cloud.client("s3").put_object(**place, Body=archive({"another.txt": "another seed"}))
        assert stack.update({"Resources": resources}) == "UPDATE_COMPLETE", stack.failures()
        assert client.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"] == before
