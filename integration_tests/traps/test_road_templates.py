"""Traps of CloudFormation and of names: what a template may not say."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integration_tests.cloud import Cloud
from integration_tests.suffixes import random_suffix
from integration_tests.traps.shipped import Resources, shipped
from integration_tests.traps.stacks import CREATED, Stack, stack

ROLLED_BACK = "ROLLBACK_COMPLETE"


def test_a_secure_string_is_in_no_template(cloud: Cloud) -> None:
    """traps F5: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ssm-parameter.html."""
    resources = shipped(cloud).part("PipelineBuildDockerHubUsername")
    with stack(cloud, resources) as made:
        assert made.settled() == CREATED, made.failures()
    resources["PipelineBuildDockerHubUsername"]["Properties"]["Type"] = "SecureString"
    with stack(cloud, resources) as made:
        assert made.settled() == ROLLED_BACK
        assert made.failures().startswith(
            "SSM Parameters of type SecureString cannot be created using CloudFormation"
        )


def nested(cloud: Cloud, made: Stack, **children: Resources) -> Resources:
    """Return nested stacks of these resources for a root template."""
    return {
        name: {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": made.upload({"Resources": resources} if resources else {})},
        }
        for name, resources in children.items()
    }


def refused(made: Stack, resources: Resources) -> str:
    """Return why CloudFormation does not even begin with these resources."""
    with pytest.raises(ClientError) as error:
        made.create({"Resources": resources})
    assert error.value.response["Error"]["Code"] == "ValidationError"
    return str(error.value.response["Error"]["Message"])


def test_nested_stacks_that_need_each_other_are_a_circle(cloud: Cloud) -> None:
    """traps K1: `cdk synth` says nothing, since each template for itself has no circle."""
    made = Stack(cloud, random_suffix("trap"))
    root = deepcopy(shipped(cloud).root["Resources"])
    network, compute, pipeline = root
    # As a security group's rule in Network would, that names one of Compute (traps J3).
    root[network]["Properties"]["Parameters"] = {"Group": {"Fn::GetAtt": [compute, "Outputs.Group"]}}
    said = refused(made, root)
    assert said == f"Circular dependency between resources: [{compute}, {network}, {pipeline}]"


def test_a_nested_stack_without_a_resource_is_refused(cloud: Cloud) -> None:
    """traps K2: a NestedStack in which every resource is behind an `if` renders {}."""
    suffix = random_suffix("trap")
    logs = shipped(cloud).part("PipelineBuildLogs")
    with stack(cloud, nested(cloud, Stack(cloud, suffix), Logs=logs, Access={}), suffix=suffix) as made:
        assert made.settled() == ROLLED_BACK
        assert made.failures().startswith("Template format error: At least one Resources member must be defined.")


def test_a_named_resource_cannot_be_replaced(cloud: Cloud) -> None:
    """traps K5: the new one would have to stand beside the old one, under the same name."""
    resources = shipped(cloud).part("NetworkBlue")
    with stack(cloud, resources) as made:
        assert made.settled() == CREATED, made.failures()
        resources["NetworkBlue"]["Properties"]["Port"] = 8081
        assert made.update({"Resources": resources}) == "UPDATE_ROLLBACK_COMPLETE"
        said = made.failures().splitlines()[0]
        assert said.startswith(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
        )
        assert made.named("target-group-blue-the-suffix") in said
        assert said.endswith(" and update the stack again.")


# Type and property of a name, and what AWS says of one that is too long for it; {name} is the name.
TOO_LONG = {
    "NetworkBlue": ("Name", "Target group name '{name}' cannot be longer than '32' characters"),
    "NetworkLoadBalancer": ("Name", "The load balancer name '{name}' cannot be longer than '32' characters"),
}


@pytest.mark.parametrize("resource", TOO_LONG)
def test_a_name_has_its_limit(cloud: Cloud, resource: str) -> None:
    """traps L: the suffix that the app takes, of 12 characters, is what the shortest limit leaves."""
    key, words = TOO_LONG[resource]
    for suffix, fits in ((random_suffix("trap"), True), (random_suffix("trap") + "-and-much-more", False)):
        with stack(cloud, shipped(cloud).part(resource), suffix=suffix) as made:
            if fits:
                assert made.settled() == CREATED, made.failures()
            else:
                name = made.named(shipped(cloud).resources[resource]["Properties"][key])
                assert made.settled() == ROLLED_BACK
                assert words.format(name=name) in made.failures()
