"""The limits of ECS's requests that botocore's model does not have: names, empty lists, and long lists.

Each operation's page has the limit, as
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.services.ecs.errors import invalid_parameter

NAME = r"^[a-zA-Z0-9\-_]{1,255}$"


@dataclass(frozen=True)
class Items:
    """The number of items that a list may have, and AWS's messages for too many and for none."""

    member: str
    most: int
    too_many: str
    # An empty message: the list may be empty.
    none: str = ""


# The messages: structurely/ecs-autoscale#32 and vend/ecs-cleaner#2, sil-org/ecs-deploy#266 and #63, and
# moto's `delete_task_definitions`. Nobody quotes DescribeClusters': it is in the words of the others.
ITEMS = {
    "DescribeServices": Items(
        "services", 10, "service names can have at most 10 items.", "Services cannot be empty."
    ),
    "DescribeTasks": Items("tasks", 100, "taskIds can have at most 100 items.", "Tasks cannot be empty."),
    "DescribeClusters": Items("clusters", 100, "clusters can have at most 100 items."),
    "DeleteTaskDefinitions": Items(
        "taskDefinitions",
        10,
        "Size of TaskDefinition references list cannot exceed 10",
        "size of TaskDefinition references list must be greater than 0",
    ),
}
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html
MOST_OF_NETWORK = {"subnets": 16, "securityGroups": 5}
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServices.html and the like.
LARGEST_PAGE = 100
LARGEST = 2**31 - 1
NUMBERS = {
    "desiredCount": (0, LARGEST),
    "healthCheckGracePeriodSeconds": (0, LARGEST),
    "maxResults": (1, LARGEST_PAGE),
}
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Scale.html
PERCENT = 100
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
LONGEST = {"startedBy": 128, "clientToken": 64}
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ClusterSetting.html
INSIGHTS = ("disabled", "enabled", "enhanced")
# The members with the name of a resource. The message: awslabs/amazon-ecs-nodejs-microservices#18.
NAMES = {"cluster": "Cluster", "clusterName": "Cluster", "serviceName": "Service"}


def check_limits(operation: str, params: Mapping[str, Any]) -> None:
    """Refuse names, lists and page sizes outside of ECS's limits."""
    for message in _violations(operation, params):
        raise invalid_parameter(message)


def _violations(operation: str, params: Mapping[str, Any]) -> Iterator[str]:
    for member, label in NAMES.items():
        name = str(params.get(member, "default")).rpartition("/")[2]
        if not re.fullmatch(NAME, name, re.ASCII):
            yield f"{label} must match {NAME}, but was {name}"
    if operation in ITEMS:
        yield from _violations_of_list(ITEMS[operation], params)
    network = params.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    for member, most in MOST_OF_NETWORK.items():
        if len(network.get(member, [])) > most:
            yield f"{member} can have at most {most} items."
    yield from _violations_of_values(params)


def _violations_of_values(params: Mapping[str, Any]) -> Iterator[str]:
    for member, (least, most) in NUMBERS.items():
        if not least <= params.get(member, least) <= most:
            yield f"{member} must be between {least} and {most}."
    if not 0 <= params.get("scale", {}).get("value", 0) <= PERCENT:
        yield f"scale must be between 0 and {PERCENT} percent."
    for member, longest in LONGEST.items():
        if len(params.get(member, "")) > longest:
            yield f"{member} can have at most {longest} characters."
    for setting in params.get("settings", []):
        if setting.get("value") not in INSIGHTS:
            yield f"{setting.get('name')} must be one of {', '.join(INSIGHTS)}."


def _violations_of_list(limit: Items, params: Mapping[str, Any]) -> Iterator[str]:
    given = params.get(limit.member, [])
    if len(given) > limit.most:
        yield limit.too_many
    if not given and limit.none:
        yield limit.none
