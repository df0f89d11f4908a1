"""Inputs, outputs, errors and pages of our operations conform to botocore's models."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import OperationModel

from local_aws.core.api import AwsError, JsonService, service_model
from local_aws.core.clock import Clock
from local_aws.core.conformance import declares, input_error, output_violations
from local_aws.core.context import Context
from local_aws.core.pagination import paginators
from local_aws.server.api_coverage import PARTIAL, SERVICES, implemented, page
from unit_tests.local_aws.cloudformation_cloud import Cloud

TASK = {
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [{"name": "app", "image": "app"}],
}


def operation(service: str, name: str) -> OperationModel:
    return service_model(service).operation_model(name)


@pytest.mark.parametrize(
    ("service", "name", "params", "code", "must"),
    [
        (
            "codepipeline",
            "GetPipeline",
            {"name": "a b"},
            "ValidationException",
            r"satisfy regular expression pattern: [A-Za-z0-9.@\-_]+",
        ),
        (
            "codepipeline",
            "ListPipelines",
            {"maxResults": 1001},
            "ValidationException",
            "have value less than or equal to 1000",
        ),
        (
            "codebuild",
            "ListBuilds",
            {"sortOrder": "UP"},
            "ValidationException",
            "satisfy enum value set: [ASCENDING, DESCENDING]",
        ),
    ],
)
def test_an_input_outside_its_constraints_is_rejected_with_awss_message(
    service: str, name: str, params: dict[str, Any], code: str, must: str
) -> None:
    ((member, value),) = params.items()
    message = f"Value '{value}' at '{member}' failed to satisfy constraint: Member must {must}"
    assert input_error(operation(service, name), params) == (code, f"1 validation error detected: {message}")


@pytest.mark.parametrize(
    ("service", "name", "member"),
    [
        ("codedeploy", "GetApplication", "applicationName"),
        ("codecommit", "GetRepository", "repositoryName"),
    ],
)
def test_some_services_have_an_error_code_for_each_member(service: str, name: str, member: str) -> None:
    code, message = input_error(operation(service, name), {member: "x" * 101}) or ("", "")
    assert code == f"Invalid{member[0].upper()}{member[1:]}Exception"
    assert message.startswith(f"The {member.removesuffix('Name')} name is not valid. Value 'xxx")


def test_ecr_has_its_own_message() -> None:
    code, message = input_error(operation("ecr", "ListImages"), {"repositoryName": "I"}) or ("", "")
    assert code == "InvalidParameterException"
    assert message.startswith(
        "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must have length"
    )


def test_every_violation_is_reported_with_its_path() -> None:
    container = {"name": "app", "ulimits": [{"name": "many", "softLimit": 1, "hardLimit": 1}]}
    params = {"family": "f", "containerDefinitions": [container], "networkMode": "mesh"}
    code, message = input_error(operation("ecs", "RegisterTaskDefinition"), params) or ("", "")
    assert code == "InvalidParameterException"
    assert message.startswith("2 validation errors detected: ")
    assert "'mesh' at 'networkMode'" in message
    assert "'many' at 'containerDefinitions.1.member.ulimits.1.member.name'" in message


def test_a_valid_input_is_accepted() -> None:
    assert input_error(operation("codepipeline", "GetPipeline"), {"name": "pipeline-dev"}) is None
    assert input_error(operation("ecs", "ListClusters"), {"maxResults": 10}) is None


@pytest.mark.parametrize(
    ("output", "violations"),
    [
        ({"ids": ["a"]}, []),
        ({"ids": "a"}, ["output.ids must be of type list, not str"]),
        ({"ids": [1]}, ["output.ids[0] must be of type string, not int"]),
        ({"names": []}, ["output has names, which is not in the model"]),
    ],
)
def test_an_output_that_no_client_could_parse_is_reported(
    output: dict[str, Any], violations: list[str]
) -> None:
    assert list(output_violations(operation("codebuild", "ListBuilds").output_shape, output)) == violations


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        ({"timeoutInMinutes": 1.5}, "output.builds[0].timeoutInMinutes must be of type integer, not float"),
        ({"buildComplete": 1}, "output.builds[0].buildComplete must be of type boolean, not int"),
        ({"startTime": 1.0}, "output.builds[0].startTime must be of type timestamp, not float"),
        ({"environment": []}, "output.builds[0].environment must be a structure, not list"),
        ({"environment": {"type": "LINUX_CONTAINER"}}, "output.builds[0].environment lacks image"),
    ],
)
def test_each_type_is_validated(change: dict[str, Any], violation: str) -> None:
    assert violation in list(
        output_violations(operation("codebuild", "BatchGetBuilds").output_shape, {"builds": [change]})
    )


def test_an_enum_of_an_output_has_only_its_values() -> None:
    shape = operation("codebuild", "BatchGetBuilds").output_shape
    (violation,) = output_violations(shape, {"builds": [{"buildStatus": "DONE"}]})
    assert violation.startswith("output.builds[0].buildStatus is 'DONE', none of SUCCEEDED, ")


def test_an_error_is_one_that_the_operation_declares() -> None:
    get_application = operation("codedeploy", "GetApplication")
    assert declares(get_application, "ApplicationDoesNotExistException")
    assert declares(get_application, "AccessDeniedException")
    assert not declares(get_application, "PipelineNotFoundException")


class Wrong(JsonService):
    """A service whose output and error do not conform to its model."""

    service = "codebuild"

    def list_builds(self, _params: dict[str, Any]) -> dict[str, Any]:
        return {"ids": [1]}

    def list_projects(self, _params: dict[str, Any]) -> dict[str, Any]:
        raise AwsError("PipelineNotFoundException", "no")


def test_nonconforming_outputs_and_errors_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []
    monkeypatch.setattr(Wrong, "report_violation", lambda _, name, what: noted.append(f"{name}: {what}"))
    service = Wrong(Context(tmp_path, "http://127.0.0.1:9", Clock(0.02), "test", lambda *_: None))
    service.call("ListBuilds", {})
    with pytest.raises(AwsError):
        service.call("ListProjects", {})
    assert noted == [
        "ListBuilds: output.ids[0] must be of type string, not int",
        "ListProjects: raises PipelineNotFoundException, which its model does not declare",
    ]


# Three resources of each type.
THREE = ("one", "two", "three")


@pytest.fixture(scope="module")
def populated(cloud: Cloud) -> Cloud:
    codecommit, ecs, ecr = (cloud.client(name) for name in ("codecommit", "ecs", "ecr"))
    codedeploy = cloud.client("codedeploy")
    codecommit.create_repository(repositoryName="branches")
    first = codecommit.put_file(
        repositoryName="branches", branchName="main", fileContent=b"1", filePath="one.txt"
    )
    for name in THREE:
        codecommit.create_repository(repositoryName=name)
        codecommit.create_branch(repositoryName="branches", branchName=name, commitId=first["commitId"])
        ecs.create_cluster(clusterName=name)
        ecs.register_task_definition(family=name, **TASK)
        ecr.create_repository(repositoryName=name)
        codedeploy.create_application(applicationName=name, computePlatform="ECS")
    return cloud


@pytest.mark.parametrize(
    ("service", "name", "given", "least"),
    [
        ("codecommit", "ListRepositories", {}, 4),
        ("codecommit", "ListBranches", {"repositoryName": "branches"}, 4),
        ("ecs", "ListClusters", {}, 3),
        ("ecs", "ListTaskDefinitions", {}, 3),
        ("ecs", "ListTaskDefinitionFamilies", {}, 3),
        ("ecr", "DescribeRepositories", {}, 3),
        ("codedeploy", "ListApplications", {}, 3),
        ("codedeploy", "ListDeploymentConfigs", {}, 3),
        ("service-quotas", "ListServiceQuotas", {"ServiceCode": "vpc"}, 3),
    ],
)
def test_pages_of_one_item_make_the_whole_list(
    populated: Cloud,
    service: str,
    name: str,
    given: dict[str, Any],
    least: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = paginators(service)[name]
    client = populated.client(service)
    method = next(key for key, one in client.meta.method_to_api_mapping.items() if one == name)
    whole = getattr(client, method)(**given)[names["result_key"]]
    assert len(whole) >= least
    pages = client.get_paginator(method).paginate(
        **given, **({"PaginationConfig": {"PageSize": 1}} if "limit_key" in names else {})
    )
    found = [one[names["result_key"]] for one in pages]
    assert [item for one in found for item in one] == whole
    if "limit_key" in names:
        assert [len(one) for one in found] == [1] * len(whole)


@pytest.mark.parametrize("size", [0, -1])
def test_a_page_size_below_one_is_rejected(cloud: Cloud, size: int) -> None:
    with pytest.raises(ClientError, match=r"InvalidParameterException.*maxResults must be between 1 and 100"):
        cloud.client("ecs").list_clusters(maxResults=size)


def test_differences_are_paginated_too(populated: Cloud) -> None:
    codecommit = populated.client("codecommit")
    put = [{"filePath": name, "fileContent": b"1"} for name in THREE]
    made = codecommit.create_commit(repositoryName="one", branchName="main", putFiles=put)
    pages = codecommit.get_paginator("get_differences").paginate(
        repositoryName="one",
        afterCommitSpecifier=made["commitId"],
        PaginationConfig={"PageSize": 2},
    )
    found = [[one["afterBlob"]["path"] for one in page["differences"]] for page in pages]
    assert [len(page) for page in found] == [2, 1]
    assert sorted(path for page in found for path in page) == sorted(THREE)


@pytest.mark.parametrize(
    ("service", "name", "code"),
    [
        ("codecommit", "list_repositories", "InvalidContinuationTokenException"),
        ("codedeploy", "list_applications", "InvalidNextTokenException"),
        ("ecs", "list_clusters", "InvalidParameterException"),
        ("codebuild", "list_builds", "InvalidInputException"),
    ],
)
def test_an_unknown_token_is_rejected(cloud: Cloud, service: str, name: str, code: str) -> None:
    client = cloud.client(service)
    with pytest.raises(client.exceptions.ClientError) as error:
        getattr(client, name)(nextToken="made up")
    assert error.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("service", SERVICES)
def test_operations_listed_as_partial_are_implemented(service: type[JsonService]) -> None:
    there = {f"{service.service}:{name}" for name in implemented(service)}
    assert {name for name in PARTIAL if name.startswith(f"{service.service}:")} <= there


def test_the_page_lists_every_operation_of_every_model_once() -> None:
    rows = [line[2:].split(" | ") for line in page().splitlines() if line.startswith("| ")]
    named = [
        name for row in rows if row[1] in ("full", "partial", "unsupported") for name in row[0].split(", ")
    ]
    wanted = [name for one in SERVICES for name in service_model(one.service).operation_names]
    assert sorted(named) == sorted(["service", *wanted])
