"""Pitfalls of CloudFormation and of names."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.stacks import CREATED, Stack, temporary_stack
from harness.suffixes import random_suffix
from harness.synthesized_app import SUFFIX, Resources, synthesized

ROLLED_BACK = "ROLLBACK_COMPLETE"


def test_a_template_cannot_have_a_secure_string(cloud: Cloud) -> None:
    """pitfall F5: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ssm-parameter.html."""
    resources = synthesized(cloud).part("PipelineBuildDockerHubUsername")
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
    resources["PipelineBuildDockerHubUsername"]["Properties"]["Type"] = "SecureString"
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == ROLLED_BACK
        assert stack.failures().startswith(
            "SSM Parameters of type SecureString cannot be created using CloudFormation"
        )


def nested(stack: Stack, **children: Resources) -> Resources:
    """Return nested stacks of these resources for a root template."""
    return {
        name: {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": stack.upload({"Resources": resources} if resources else {})},
        }
        for name, resources in children.items()
    }


def rejection(stack: Stack, template: Mapping[str, Any]) -> str:
    """Return why CloudFormation rejects a template; "" if it does not."""
    url = stack.upload(template)
    try:
        stack.client.validate_template(TemplateURL=url)
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return ""


def test_nested_stacks_with_circular_dependencies_are_rejected(cloud: Cloud) -> None:
    """pitfall K1: `cdk synth` does not report it, since no single template has a cycle."""
    stack = Stack(cloud, random_suffix("pit"))
    root = deepcopy(synthesized(cloud).assembly.root["Resources"])
    assert rejection(stack, {"Resources": root}) == ""
    network, compute, pipeline = synthesized(cloud).assembly.nested
    # A rule of a security group in Network that refers to one in Compute has this effect (pitfall J3).
    root[network]["Properties"]["Parameters"] = {"Group": {"Fn::GetAtt": [compute, "Outputs.Group"]}}
    reason = f"Circular dependency between resources: [{compute}, {network}, {pipeline}]"
    assert rejection(stack, {"Resources": root}) == f"ValidationError: {reason}"
    with pytest.raises(
        ClientError, match=re.escape(f"(ValidationError) when calling the CreateStack operation: {reason}")
    ):
        stack.create({"Resources": root})


def test_a_nested_stack_without_resources_is_rejected(cloud: Cloud) -> None:
    """pitfall K2: a NestedStack whose resources are all conditional synthesizes to {}."""
    suffix = random_suffix("pit")
    words = "Template format error: At least one Resources member must be defined."
    assert not any(rejection(Stack(cloud, suffix), one) for one in synthesized(cloud).nested.values())
    logs = synthesized(cloud).part("PipelineBuildLogs")
    with temporary_stack(cloud, nested(Stack(cloud, suffix), Logs=logs), suffix=suffix) as stack:
        assert stack.final_status() == CREATED, stack.failures()
    with temporary_stack(cloud, nested(Stack(cloud, suffix), Logs=logs, Access={}), suffix=suffix) as stack:
        assert stack.final_status() == ROLLED_BACK
        assert stack.failures().startswith(words)


def test_a_nested_stacks_failure_is_in_its_own_events(cloud: Cloud) -> None:
    """pitfall K6: the parent names the resource, and only the nested stack has the reason."""
    suffix = random_suffix("pit")
    resources = synthesized(cloud).part("ComputeImages")
    resources["ComputeImages"]["Properties"]["RepositoryName"] = "Images"
    with temporary_stack(cloud, nested(Stack(cloud, suffix), Compute=resources), suffix=suffix) as stack:
        assert stack.final_status() == ROLLED_BACK
        reason = stack.failures().splitlines()[0]
        failed = r"The following resource\(s\) failed to create: \[ComputeImages\]\."
        child = re.fullmatch(rf"Embedded stack (\S+) was not successfully created: {failed}", reason)
        assert child is not None, reason
        assert stack.failures(child[1]).startswith("Model validation failed (#/RepositoryName: ")


def test_a_named_resource_cannot_be_replaced(cloud: Cloud) -> None:
    """pitfalls C6, K5: the new resource would need the same name while the old one exists."""
    resources = synthesized(cloud).part("NetworkBlue")
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        resources["NetworkBlue"]["Properties"]["Port"] = 8081
        assert stack.update({"Resources": resources}) == "UPDATE_ROLLBACK_COMPLETE"
        reason = stack.failures().splitlines()[0]
        assert reason.startswith(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
        )
        assert stack.physical_name("target-group-blue-the-suffix") in reason
        assert reason.endswith(" and update the stack again.")


@pytest.mark.parametrize(
    ("resource", "suffix", "words"),
    [
        (
            "NetworkBlue",
            "and-even-more-characters",
            "Target group name '{name}' cannot be longer than '32' characters",
        ),
        (
            "NetworkLoadBalancer",
            "and-even-more-characters",
            "The load balancer name '{name}' cannot be longer than '32' characters",
        ),
        (
            "PipelineRole",
            "x" * 60,
            "#/RoleName: failed validation constraint for keyword [maxLength]",
        ),
        (
            "PipelineNotificationsPipelineFailed",
            "x" * 60,
            "#/Name: failed validation constraint for keyword [maxLength]",
        ),
        (
            "PipelineArtifactsBucket",
            "x" * 50,
            "#/BucketName: failed validation constraint for keyword [maxLength]",
        ),
        (
            "PipelineArtifactsBucket",
            "Prod",
            "#/BucketName: failed validation constraint for keyword [pattern]",
        ),
        (
            "ComputeImages",
            "Prod",
            "#/RepositoryName: failed validation constraint for keyword [pattern]",
        ),
        (
            "PipelineRepository",
            "x" * 100,
            "#/RepositoryName: failed validation constraint for keyword [maxLength]",
        ),
    ],
)
def test_a_name_has_its_limits(cloud: Cloud, resource: str, suffix: str, words: str) -> None:
    """pitfall L: every name is valid with the app's suffixes, which have at most 12 characters."""
    resources = synthesized(cloud).part(resource)
    properties = resources[resource]["Properties"]
    key = next(key for key in properties if key in ("Name", "RoleName", "BucketName", "RepositoryName"))
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
    properties[key] = json.loads(json.dumps(properties[key]).replace(SUFFIX, suffix))
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == ROLLED_BACK
        assert words.format(name=properties[key]) in stack.failures()


def test_a_bucket_name_without_account_and_region_is_taken(cloud: Cloud, second_account: Cloud) -> None:
    """pitfall L: all accounts share bucket names; the synthesized one has suffix, account and region."""
    shared = "artifacts"
    second_account.client("s3").create_bucket(Bucket=shared)
    resources = synthesized(cloud).part("PipelineArtifactsBucket")
    try:
        with temporary_stack(cloud, resources) as first, temporary_stack(cloud, resources) as second:
            assert (first.final_status(), second.final_status()) == (CREATED, CREATED)
        resources["PipelineArtifactsBucket"]["Properties"]["BucketName"] = shared
        with temporary_stack(cloud, resources) as stack:
            assert stack.final_status() == ROLLED_BACK
            (conflict, *_) = stack.client.describe_events(StackName=stack.name)["OperationEvents"]
            words = f"Resource of type 'AWS::S3::Bucket' with identifier '{shared}' already exists."
            assert conflict["ValidationStatusReason"] == words
    finally:
        second_account.client("s3").delete_bucket(Bucket=shared)
