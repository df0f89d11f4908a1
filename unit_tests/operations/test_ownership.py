"""Whose a thing is."""

import pytest

from operations.ownership import Ownership, Thing, flat, suffixes

OURS = {"project": "python-service-road", "environment": "dev"}


@pytest.mark.parametrize(
    "name",
    [
        "repository-dev",
        "target-group-blue-dev",
        "/ecs/task-dev",
        "/docker-hub-dev/password",
        "artifacts-dev-123456789012-us-east-1",
        "stack-dev-NetworkNestedStackNetworkNested-1ABC",
        "build-dev-unit-tests",
        "alias/artifacts-dev",
    ],
)
def test_a_name_with_the_suffix_is_ours(name: str) -> None:
    assert Ownership("dev").owns(Thing("kind", name))


@pytest.mark.parametrize(
    "name", ["repository-devel", "repository-prod", "dev", "developer-dev2", "/ecs/task-d"]
)
def test_a_name_without_the_suffix_as_a_word_is_not_ours(name: str) -> None:
    assert not Ownership("dev").owns(Thing("kind", name))


def test_our_tags_tell_what_a_generated_name_does_not() -> None:
    assert Ownership("dev").owns(Thing("VPC", "vpc-1", OURS))
    assert not Ownership("prod").owns(Thing("VPC", "vpc-1", OURS))


def test_our_tags_outweigh_a_name() -> None:
    assert not Ownership("dev").owns(Thing("role", "role-a-dev", {**OURS, "environment": "a-dev"}))


def test_a_foreign_projects_environment_tag_claims_nothing() -> None:
    assert not Ownership("dev").owns(Thing("bucket", "photos", {"environment": "dev"}))


def test_cloudformations_own_tag_tells_the_environment() -> None:
    stack = {"aws:cloudformation:stack-name": "stack-dev-Network-1ABC"}
    assert Ownership("dev").owns(Thing("subnet", "subnet-1", stack))


def test_a_thing_belongs_to_what_it_hangs_on() -> None:
    assert Ownership("dev").owns(Thing("ENI", "eni-1", parents=("ELB app/load-balancer-dev/50dc",)))


@pytest.mark.parametrize("name", ["repository-dev-2", "stack-dev-2-Network", "repository-a-dev"])
def test_a_longer_live_suffix_takes_what_it_names(name: str) -> None:
    assert Ownership("dev").owns(Thing("kind", name)), "nobody else is there"
    assert not Ownership("dev", ["dev-2", "a-dev"]).owns(Thing("kind", name))


def test_the_live_suffixes_are_those_of_root_stacks() -> None:
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
def test_tags_are_read_in_every_services_spelling(tags: list[dict[str, str]]) -> None:
    assert flat(tags) == {"a": "b"}
