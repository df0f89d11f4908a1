"""ECS creates its service-linked role at the first use, for a caller that may create it."""

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import Cloud, template
from unit_tests.local_aws.iam.test_enforcement import acting, allow, client, role

SERVICE = "ecs.amazonaws.com"
NAME = "AWSServiceRoleForECS"
CREATE_CLUSTER = allow("ecs:CreateCluster", "*")


@pytest.fixture(autouse=True)
def _without_the_role(cloud: Cloud) -> None:
    if roles(cloud):
        cloud.client("iam").delete_service_linked_role(RoleName=NAME)


def roles(cloud: Cloud) -> list[str]:
    found = cloud.client("iam").list_roles(PathPrefix=f"/aws-service-role/{SERVICE}/")["Roles"]
    return [one["RoleName"] for one in found]


def test_the_first_cluster_creates_it_and_the_second_leaves_it(cloud: Cloud) -> None:
    for _ in range(2):
        cloud.client("ecs").create_cluster(clusterName="first")
        assert roles(cloud) == [NAME]


def test_the_first_cluster_of_a_stack_creates_it(cloud: Cloud) -> None:
    cluster = {"Type": "AWS::ECS::Cluster", "ClusterName": "of-a-stack"}
    assert cloud.create("linked", template(C=cluster)) == "CREATE_COMPLETE"
    assert roles(cloud) == [NAME]
    assert cloud.delete("linked") == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("name", "statements", "created"),
    [
        ("no-creator", [], []),
        (
            "creator",
            [
                allow(
                    "iam:CreateServiceLinkedRole",
                    f"arn:aws:iam::*:role/aws-service-role/{SERVICE}/{NAME}",
                    Condition={"StringEquals": {"iam:AWSServiceName": SERVICE}},
                )
            ],
            [NAME],
        ),
    ],
)
def test_a_caller_without_the_permission_gets_the_cluster_and_no_role(
    cloud: Cloud, name: str, statements: list[dict[str, object]], created: list[str]
) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html."""
    session = acting(cloud, role(cloud, name, CREATE_CLUSTER, *statements))
    made = client(cloud, session, "ecs").create_cluster(clusterName=name)["cluster"]
    assert made["status"] == "ACTIVE"
    assert roles(cloud) == created


def test_it_has_one_name_and_is_created_once(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    created = iam.create_service_linked_role(AWSServiceName=SERVICE)["Role"]
    assert created["RoleName"] == NAME
    assert created["Arn"].endswith(f":role/aws-service-role/{SERVICE}/{NAME}")
    with pytest.raises(ClientError, match="has been taken in this account") as refused:
        iam.create_service_linked_role(AWSServiceName=SERVICE)
    assert refused.value.response["Error"]["Code"] == "InvalidInput"
