"""Which environment a resource belongs to."""

import pytest

from operations.ownership import Ownership, Resource, normalize_tags, suffixes

OURS = {"project": "python-service-pipeline", "environment": "dev"}


@pytest.mark.parametrize(
    "name",
    [
        "repository-dev",
        "target-group-blue-dev",
        "/ecs/task-dev",
        "/docker-hub-dev/password",
        "artifacts-dev-123456789012-us-east-1",
        "stack-dev-NetworkNestedStackNetworkNested-1ABC",
        "unit-tests-dev",
        "alias/artifacts-dev",
    ],
)
def test_a_name_with_the_suffix_is_ours(name: str) -> None:
    assert Ownership("dev").owns(Resource("kind", name))


@pytest.mark.parametrize(
    "name", ["repository-devel", "repository-prod", "dev", "developer-dev2", "/ecs/task-d"]
)
def test_a_name_without_the_suffix_as_a_word_is_not_ours(name: str) -> None:
    assert not Ownership("dev").owns(Resource("kind", name))


def test_our_tags_decide_for_a_generated_name() -> None:
    assert Ownership("dev").owns(Resource("VPC", "vpc-1", OURS))
    assert not Ownership("prod").owns(Resource("VPC", "vpc-1", OURS))


def test_our_tags_outweigh_a_name() -> None:
    assert not Ownership("dev").owns(Resource("role", "role-a-dev", {**OURS, "environment": "a-dev"}))


def test_the_environment_tag_of_another_project_is_ignored() -> None:
    assert not Ownership("dev").owns(Resource("bucket", "photos", {"environment": "dev"}))


def test_cloudformations_own_tag_decides_too() -> None:
    stack = {"aws:cloudformation:stack-name": "stack-dev-Network-1ABC"}
    assert Ownership("dev").owns(Resource("subnet", "subnet-1", stack))


def test_a_resource_belongs_to_the_environment_of_its_parents() -> None:
    assert Ownership("dev").owns(Resource("ENI", "eni-1", parents=("ELB app/load-balancer-dev/50dc",)))


@pytest.mark.parametrize(
    "name",
    [
        "repository-dev-2",
        "stack-dev-2-Network",
        "repository-a-dev",
        "/docker-hub-orders-dev/password",
        "/orders-dev/database/url",
        "foo-dev",
        "my-cluster-dev",
        "cluster-dev-backup",
        "/aws/lambda/reports-dev",
        "build-devel",
        "task-role-dev2",
    ],
)
def test_a_name_that_only_looks_like_ours_is_somebody_elses(name: str) -> None:
    assert not Ownership("dev").owns(Resource("kind", name))
    tagged = Resource("kind", name, {"Name": name, "aws:cloudformation:stack-name": "orders-dev"})
    assert not Ownership("dev").owns(tagged)


@pytest.mark.parametrize(
    "name", ["private-subnet-2-dev", "build-dev-unit-tests", "queue-1f-of-notifications-dev"]
)
def test_a_number_a_report_group_and_a_scenarios_queue_are_ours(name: str) -> None:
    assert Ownership("dev").owns(Resource("kind", name))


def test_the_existing_suffixes_are_those_of_root_stacks() -> None:
    names = ["stack-dev", "stack-dev-2", "stack-dev-NetworkNested-1ABC", "CDKToolkit"]
    assert suffixes(names) == ["dev", "dev-2"]


@pytest.mark.parametrize(
    "tags",
    [
        [{"Key": "a", "Value": "b"}],
        [{"key": "a", "value": "b"}],
        [{"TagKey": "a", "TagValue": "b"}],
        {"a": "b"},
    ],
)
def test_tags_are_read_in_the_form_of_every_service(tags: list[dict[str, str]]) -> None:
    assert normalize_tags(tags) == {"a": "b"}
