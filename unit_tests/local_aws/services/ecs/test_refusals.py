"""What ECS refuses: references to nothing, limits and names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.ecs.calls import FAMILY, INVALID, SERVICE, refused, rolling
from unit_tests.local_aws.services.ecs.fakes import BLUE, CLUSTER, NETWORK, Cloud, balancer, cloud


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(tmp_path, monkeypatch) as found:
        found.define()
        yield found


def network(*subnets: str, groups: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"awsvpcConfiguration": {"subnets": list(subnets), "securityGroups": list(groups)}}


def external(aws: Cloud) -> dict[str, Any]:
    aws.create(serviceName="external", deploymentController={"type": "EXTERNAL"})
    return {"cluster": CLUSTER, "service": "external", "taskDefinition": FAMILY, "launchType": "FARGATE"}


NETWORKS = [
    (network(), "subnets can not be empty."),
    (
        network("subnet-1", "subnet-9"),
        "Error retrieving subnet information for [subnet-1, subnet-9]: The subnet ID 'subnet-9' does not "
        "exist (ErrorCode: InvalidSubnetID.NotFound)",
    ),
    (
        network("subnet-1", groups=("sg-9",)),
        "Error retrieving security group information for [sg-9]: The security group 'sg-9' does not exist "
        "(ErrorCode: InvalidGroup.NotFound)",
    ),
    (
        network("subnet-1", groups=("sg-other",)),
        "Security group sg-other does not appear to belong to the same VPC as the input subnets.",
    ),
    (network(*["subnet-1"] * 17), "subnets can have at most 16 items."),
]


@pytest.mark.parametrize(("given", "message"), NETWORKS)
@pytest.mark.parametrize("operation", ["CreateService", "UpdateService", "RunTask", "CreateTaskSet"])
def test_a_network_that_ec2_does_not_have_is_refused(
    aws: Cloud, operation: str, given: dict[str, Any], message: str
) -> None:
    params: dict[str, Any] = {"cluster": CLUSTER, "taskDefinition": FAMILY, "launchType": "FARGATE"}
    if operation == "CreateTaskSet":
        params = external(aws)
    elif operation == "UpdateService":
        rolling(aws)
        params = SERVICE
    elif operation == "CreateService":
        params["serviceName"] = "new"
    assert refused(aws, operation, **params, networkConfiguration=given) == (INVALID, message)


def test_a_security_group_of_the_subnets_vpc_is_accepted(aws: Cloud) -> None:
    rolling(aws, networkConfiguration=network("subnet-1", "subnet-2", groups=("sg-1",)))
    assert aws.call("ListServices", cluster=CLUSTER)["serviceArns"]


def test_an_override_of_an_unknown_container_is_refused(aws: Cloud) -> None:
    overrides = {"containerOverrides": [{"name": "nope", "command": ["ls"]}]}
    with pytest.raises(AwsError) as caught:
        aws.run(overrides=overrides)
    assert (caught.value.code, caught.value.message) == (
        INVALID,
        "Override for container named nope is not a container in the TaskDefinition.",
    )


LISTS = [
    ("DescribeServices", {"services": []}, "Services cannot be empty."),
    ("DescribeServices", {"services": ["x"] * 11}, "service names can have at most 10 items."),
    ("DescribeTasks", {"tasks": []}, "Tasks cannot be empty."),
    ("DescribeTasks", {"tasks": ["x"] * 101}, "taskIds can have at most 100 items."),
    ("DescribeClusters", {"clusters": ["x"] * 101}, "clusters can have at most 100 items."),
    (
        "DeleteTaskDefinitions",
        {"taskDefinitions": []},
        "size of TaskDefinition references list must be greater than 0",
    ),
    (
        "DeleteTaskDefinitions",
        {"taskDefinitions": ["x:1"] * 11},
        "Size of TaskDefinition references list cannot exceed 10",
    ),
    ("ListServices", {"maxResults": 101}, "maxResults must be between 1 and 100."),
]


@pytest.mark.parametrize(("operation", "params", "message"), LISTS)
def test_a_list_outside_of_its_limits_is_refused(
    aws: Cloud, operation: str, params: dict[str, Any], message: str
) -> None:
    assert refused(aws, operation, **params) == (INVALID, message)


@pytest.mark.parametrize(
    ("operation", "params", "label"),
    [
        ("CreateCluster", {"clusterName": "bad name"}, "Cluster"),
        ("DescribeServices", {"cluster": "bad name", "services": ["x"]}, "Cluster"),
        ("CreateService", {"serviceName": "bad name"}, "Service"),
    ],
)
def test_a_name_with_invalid_characters_is_refused(
    aws: Cloud, operation: str, params: dict[str, Any], label: str
) -> None:
    expected = rf"{label} must match ^[a-zA-Z0-9\-_]{{1,255}}$, but was bad name"
    assert refused(aws, operation, **params) == (INVALID, expected)


@pytest.mark.parametrize("operation", ["CreateService", "UpdateService", "RunTask", "CreateTaskSet"])
def test_an_unknown_task_definition_is_not_found(aws: Cloud, operation: str) -> None:
    params: dict[str, Any] = {"cluster": CLUSTER, "launchType": "FARGATE", "networkConfiguration": NETWORK}
    if operation == "CreateTaskSet":
        params = external(aws)
    elif operation == "UpdateService":
        rolling(aws)
        params = dict(SERVICE)
    elif operation == "CreateService":
        params["serviceName"] = "new"
    params["taskDefinition"] = "nothing:1"
    assert refused(aws, operation, **params) == ("ClientException", "TaskDefinition not found.")


def test_a_task_definition_is_deregistered_by_its_revision_only(aws: Cloud) -> None:
    expected = ("ClientException", "Revision is missing.")
    assert refused(aws, "DeregisterTaskDefinition", taskDefinition=FAMILY) == expected


def test_a_task_definition_that_is_not_deleted_is_among_the_failures(aws: Cloud) -> None:
    given = ["nothing:1", f"{FAMILY}:1", FAMILY]
    failures = aws.call("DeleteTaskDefinitions", taskDefinitions=given)["failures"]
    prefix = "arn:aws:ecs:us-east-1:123456789012:task-definition/"
    assert [failure["arn"] for failure in failures] == [prefix + each for each in given]
    assert "does not exist" in failures[0]["reason"]
    assert "still in ACTIVE status" in failures[1]["reason"]
    assert "identifier is invalid" in failures[2]["reason"]


@pytest.mark.parametrize(
    ("operation", "params", "resource"),
    [
        ("DescribeServices", {"services": ["nope"]}, f"service/{CLUSTER}/nope"),
        ("DescribeTasks", {"tasks": ["nope"]}, f"task/{CLUSTER}/nope"),
        (
            "DescribeTaskSets",
            {"service": "external", "taskSets": ["nope"]},
            f"task-set/{CLUSTER}/external/nope",
        ),
    ],
)
def test_the_failure_of_an_unknown_resource_has_its_arn(
    aws: Cloud, operation: str, params: dict[str, Any], resource: str
) -> None:
    external(aws)
    failures = aws.call(operation, cluster=CLUSTER, **params)["failures"]
    arn = f"arn:aws:ecs:us-east-1:123456789012:{resource}"
    assert failures == [{"arn": arn, "reason": "MISSING"}]


def test_services_and_tasks_are_listed_by_launch_type(aws: Cloud) -> None:
    aws.create(loadBalancers=[balancer(BLUE)])
    task = aws.run()
    for launch_type, services in (("FARGATE", 1), ("EC2", 0)):
        given = {"cluster": CLUSTER, "launchType": launch_type}
        assert len(aws.call("ListServices", **given)["serviceArns"]) == services
        assert (task in aws.call("ListTasks", **given)["taskArns"]) is bool(services)
