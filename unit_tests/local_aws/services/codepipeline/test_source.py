"""The source action resolves the branch and uploads its files, and fails with AWS's messages."""

from typing import Any

import pytest

from unit_tests.local_aws.services.codepipeline.declarations import ACCOUNT_KEY, COMMIT, PIPELINE_ROLE
from unit_tests.local_aws.services.codepipeline.fake_sts import refusal
from unit_tests.local_aws.services.codepipeline.fakes import FakeCloud, failed, zipped


def test_source_puts_the_commit_encrypted_into_the_bucket_as_the_pipelines_role(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    key, stored = next(item for item in cloud.s3.objects.items() if "/SourceOutp/" in item[0])
    assert key.startswith("pipeline-dev/SourceOutp/")
    assert stored["Body"] == zipped({"commit": COMMIT})
    assert stored["SSEKMSKeyId"] == ACCOUNT_KEY
    assert {role for service, role in cloud.requested_clients if service in ("s3", "codecommit")} == {
        PIPELINE_ROLE
    }


def test_source_records_its_variables_and_its_revision(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    runs = cloud.call("ListActionExecutions", pipelineName="pipeline-dev")["actionExecutionDetails"]
    found = next(run for run in runs if run["actionName"] == "Source")
    assert found["output"]["outputVariables"] == {
        "RepositoryName": "repository-dev",
        "BranchName": "main",
        "CommitId": COMMIT,
        "CommitMessage": "Say hello\n",
        "AuthorDate": "2017-01-11T20:49:58Z",
        "CommitterDate": "2017-01-11T20:49:58Z",
    }
    states = cloud.call("GetPipelineState", name="pipeline-dev")["stageStates"]
    assert states[0]["actionStates"][0]["currentRevision"]["revisionId"] == COMMIT


def test_source_uses_the_commit_that_the_caller_requested(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    wanted = {"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "b" * 40}
    cloud.ended(cloud.start(sourceRevisions=[wanted]))
    assert cloud.summaries()[0]["sourceRevisions"][0]["revisionId"] == "b" * 40


def test_source_without_permission_fails_with_a_permission_error(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**request: Any) -> None:
        raise refusal("AccessDeniedException", "User: x is not authorized")

    monkeypatch.setattr(cloud.codecommit, "get_branch", denied)
    error = failed(cloud, "Source", "Source")
    assert error["code"] == "PermissionError"
    assert error["message"].endswith("Error: User: x is not authorized")


def test_a_refused_upload_of_the_source_is_a_permission_error(cloud: FakeCloud) -> None:
    cloud.s3.denied = True
    assert failed(cloud, "Source", "Source")["code"] == "PermissionError"
