"""CodeCommit and CodeDeploy answer a missing or invalid member with the code that they declare for it."""

from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError, JsonService, service_model
from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.server.api_coverage import implemented
from local_aws.services.codecommit.service import CodeCommit
from local_aws.services.codedeploy.service import CodeDeploy

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def refusal(service: type[JsonService], operation: str, params: dict[str, Any], state: Path) -> str:
    context = Context(state, "http://127.0.0.1:1", Clock(), "i", lambda *_: None)
    with pytest.raises(AwsError) as refused:
        service(context).call(operation, params)
    assert context.background_errors == []
    return refused.value.code


@pytest.mark.parametrize("service", [CodeCommit, CodeDeploy])
def test_each_missing_member_has_a_code_that_the_operation_declares(
    service: type[JsonService], tmp_path: Path
) -> None:
    for name in implemented(service):
        shape = service_model(service.service).operation_model(name).input_shape
        if shape is None or not shape.required_members:
            continue
        code = refusal(service, name, {}, tmp_path)
        assert code.endswith("RequiredException"), f"{name}: {code}"


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        (CodeDeploy, "GetDeployment", {}, "DeploymentIdRequiredException"),
        (CodeDeploy, "BatchGetApplications", {"applicationNames": []}, "ApplicationNameRequiredException"),
        (
            CodeDeploy,
            "CreateDeploymentGroup",
            {"applicationName": "a", "deploymentGroupName": "g"},
            "RoleRequiredException",
        ),
        (
            CodeDeploy,
            "GetDeploymentTarget",
            {"deploymentId": "d-ABCDEFGH1"},
            "DeploymentTargetIdRequiredException",
        ),
        (
            CodeDeploy,
            "UntagResource",
            {"ResourceArn": "arn:aws:codedeploy:us-east-1:000000000000:application:a"},
            "TagRequiredException",
        ),
        (CodeCommit, "GetCommit", {"repositoryName": "r"}, "CommitIdRequiredException"),
        (CodeCommit, "BatchGetRepositories", {"repositoryNames": []}, "RepositoryNamesRequiredException"),
        (CodeCommit, "GetDifferences", {"repositoryName": "r"}, "CommitRequiredException"),
        (
            CodeCommit,
            "CreatePullRequest",
            {"title": "t", "targets": [{"sourceReference": "b"}]},
            "RepositoryNameRequiredException",
        ),
    ],
)
def test_a_missing_or_empty_member_has_its_own_code(
    service: type[JsonService], operation: str, params: dict[str, Any], code: str, tmp_path: Path
) -> None:
    assert refusal(service, operation, params, tmp_path) == code


def test_a_text_where_a_list_belongs_is_refused_by_the_model(tmp_path: Path) -> None:
    names = {"applicationName": "a", "currentDeploymentGroupName": "g"}
    found = refusal(CodeDeploy, "UpdateDeploymentGroup", {**names, "ec2TagFilters": ""}, tmp_path)
    assert found == "ValidationException"


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        (CodeDeploy, "GetDeployment", {"deploymentId": "nope"}, "InvalidDeploymentIdException"),
        (CodeDeploy, "BatchGetDeployments", {"deploymentIds": ["d-1"]}, "InvalidDeploymentIdException"),
        (CodeDeploy, "ListDeployments", {"includeOnlyStatuses": ["Up"]}, "InvalidDeploymentStatusException"),
        (
            CodeDeploy,
            "CreateDeployment",
            {"applicationName": "a", "autoRollbackConfiguration": {"enabled": True, "events": ["NEVER"]}},
            "InvalidAutoRollbackConfigException",
        ),
        (
            CodeDeploy,
            "ListApplicationRevisions",
            {"applicationName": "a", "deployed": "no"},
            "InvalidDeployedStateFilterException",
        ),
        (CodeDeploy, "ListTagsForResource", {"ResourceArn": "zz"}, "InvalidArnException"),
        (CodeCommit, "GetCommit", {"repositoryName": "r", "commitId": "nope"}, "InvalidCommitIdException"),
        (CodeCommit, "GetBlob", {"repositoryName": "r", "blobId": "nope"}, "InvalidBlobIdException"),
        (
            CodeCommit,
            "CreateBranch",
            {"repositoryName": "r", "branchName": "b", "commitId": "nope"},
            "InvalidCommitIdException",
        ),
        (
            CodeCommit,
            "PutFile",
            {
                "repositoryName": "r",
                "branchName": "b",
                "fileContent": b"x",
                "filePath": "a",
                "parentCommitId": "nope",
            },
            "InvalidParentCommitIdException",
        ),
        (CodeCommit, "ListTagsForResource", {"resourceArn": "zz"}, "InvalidResourceArnException"),
        (CodeCommit, "GetCommit", {"repositoryName": "r", "commitId": COMMIT}, "RepositoryDoesNotExist"),
    ],
)
def test_an_invalid_member_has_its_own_code(
    service: type[JsonService], operation: str, params: dict[str, Any], code: str, tmp_path: Path
) -> None:
    assert refusal(service, operation, params, tmp_path).startswith(code)


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        (
            CodeDeploy,
            "BatchGetApplications",
            {"applicationNames": [f"a{n}" for n in range(101)]},
            "BatchLimitExceededException",
        ),
        (
            CodeDeploy,
            "BatchGetDeployments",
            {"deploymentIds": ["d-ABCDEFGH1"] * 26},
            "BatchLimitExceededException",
        ),
        (
            CodeCommit,
            "BatchGetRepositories",
            {"repositoryNames": ["r"] * 101},
            "MaximumRepositoryNamesExceededException",
        ),
    ],
)
def test_a_batch_that_is_too_large_is_refused(
    service: type[JsonService], operation: str, params: dict[str, Any], code: str, tmp_path: Path
) -> None:
    assert refusal(service, operation, params, tmp_path) == code


def test_the_message_for_a_missing_member_is_that_of_the_api_reference(tmp_path: Path) -> None:
    context = Context(tmp_path, "http://127.0.0.1:1", Clock(), "i", lambda *_: None)
    with pytest.raises(AwsError) as refused:
        CodeCommit(context).call("GetRepository", {})
    assert refused.value.message == "A repository name is required, but was not specified."


def test_an_invalid_repository_name_is_refused_in_codecommits_words(tmp_path: Path) -> None:
    context = Context(tmp_path, "http://127.0.0.1:1", Clock(), "i", lambda *_: None)
    with pytest.raises(AwsError) as refused:
        CodeCommit(context).call("CreateRepository", {"repositoryName": "bad name"})
    assert refused.value.message.startswith("The repository name is not valid. Repository names can be any")
