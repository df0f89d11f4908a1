"""Pitfalls of destroy: what blocks the deletion of a stack, and what reappears after it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.cloud import Cloud
from harness.stacks import CREATED, Stack, temporary_stack
from harness.suffixes import random_suffix
from harness.synthesized_app import ARTIFACTS, Resources, synthesized
from integration_tests.pitfalls.images import push
from integration_tests.pitfalls.service import BlueGreenService, service
from integration_tests.pitfalls.template_changes import statement
from operations.waiting import NotYetError, wait_for

DELETE_FAILED = "DELETE_FAILED"


@contextmanager
def deleted_by_test(cloud: Cloud, resources: Resources) -> Iterator[Stack]:
    """Create a stack that the test tries to delete; delete it when the context closes."""
    stack = Stack(cloud, random_suffix("pit"))
    assert stack.create({"Resources": resources}) == CREATED, stack.failures()
    yield stack
    assert stack.delete() == "DELETE_COMPLETE", stack.failures()


def test_a_bucket_with_objects_cannot_be_deleted(cloud: Cloud) -> None:
    """pitfalls H7, I6: a function empties the synthesized bucket, including late writes."""
    bucket = "artifacts-the-suffix-{account}-us-east-1"

    def fill(stack: Stack) -> str:
        name = stack.physical_name(bucket).format(account=cloud.account.id)
        cloud.client("s3").put_object(Bucket=name, Key="build.zip", Body=b"", ServerSideEncryption="aws:kms")
        return name

    with temporary_stack(cloud, synthesized(cloud).part("PipelineArtifactsBucket", *ARTIFACTS)) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        fill(stack)
    with deleted_by_test(cloud, synthesized(cloud).part("PipelineArtifactsBucket")) as stack:
        name = fill(stack)
        assert stack.delete() == DELETE_FAILED
        assert "The bucket you tried to delete is not empty" in stack.failures()
        versions = cloud.client("s3").list_object_versions(Bucket=name)
        for one in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
            cloud.client("s3").delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])


def test_a_nested_stack_that_remains_blocks_its_root(cloud: Cloud) -> None:
    """pitfalls I4, I6: an image repository that is not emptied blocks its stack and the root."""
    suffix = random_suffix("pit")
    images = synthesized(cloud).part("ComputeImages")
    images["ComputeImages"]["Properties"]["EmptyOnDelete"] = False
    url = Stack(cloud, suffix).upload({"Resources": images})
    root = Stack(cloud, suffix)
    nested = {"Compute": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}}
    assert root.create({"Resources": nested}) == CREATED, root.failures()
    ecr, name = cloud.client("ecr"), root.physical_name("images-the-suffix")
    push(cloud, name, "first", "first").raise_for_status()
    assert root.delete() == DELETE_FAILED
    (child,) = root.client.describe_stack_resources(StackName=root.name)["StackResources"]
    assert child["ResourceStatus"] == DELETE_FAILED
    reasons = root.failures(child["PhysicalResourceId"])
    assert f"The repository with name '{name}' in registry with id" in reasons
    assert "cannot be deleted because it still contains images" in reasons
    ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "first"}])
    assert root.delete() == "DELETE_COMPLETE", root.failures()


def test_a_tag_is_pushed_once(cloud: Cloud) -> None:
    """pitfall F9: a second push of `latest` is rejected; the synthesized build tags with the commit."""
    with temporary_stack(cloud, synthesized(cloud).part("ComputeImages")) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        name = stack.physical_name("images-the-suffix")
        assert push(cloud, name, "1" * 40, "1" * 40).status_code == 201
        assert push(cloud, name, "2" * 40, "2" * 40).status_code == 201
        assert push(cloud, name, "latest", "1" * 40).status_code == 201
        refused = push(cloud, name, "latest", "2" * 40)
        assert refused.status_code == 400
        (error,) = refused.json()["errors"]
        assert "'latest' already exists" in error["message"]
        assert "cannot be overwritten" in error["message"]


@pytest.mark.slow
def test_a_target_group_behind_a_listener_cannot_be_deleted(cloud: Cloud) -> None:
    """pitfall I1: after a release both listeners refer to both groups, so they must be deleted first.

    Without the synthesized dependencies, CloudFormation may choose any order. Here, a dependency makes it
    delete green before the production listener.
    """
    resources = service(cloud)
    with temporary_stack(cloud, resources) as stack:
        assert BlueGreenService(stack, resources).release()["status"] == "Succeeded"
    resources["NetworkLoadBalancerProduction"]["DependsOn"].remove("NetworkGreen")
    resources["NetworkGreen"]["DependsOn"].append("NetworkLoadBalancerProduction")
    with deleted_by_test(cloud, resources) as stack:
        assert BlueGreenService(stack, resources).release()["status"] == "Succeeded"
        assert stack.delete() == DELETE_FAILED
        reasons = stack.failures()
        assert "is currently in use by a listener or a rule" in reasons


@pytest.mark.parametrize("creates", [False, True])
def test_a_late_log_line_recreates_a_deleted_log_group(cloud: Cloud, creates: bool) -> None:
    """pitfall H2: a role that may create log groups does so; no synthesized role may."""
    resources = synthesized(cloud).part("PipelineTrafficHookFunction")
    if creates:
        may = statement(resources["PipelineTrafficHookRole"], "WriteTheLog")
        may["Action"] = ["logs:CreateLogGroup", *may["Action"]]
        may["Resource"] = "*"
    logs, function = cloud.client("logs"), cloud.client("lambda")
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        group = stack.physical_name("/lambda/test-traffic-hook-the-suffix")
        logs.delete_log_group(logGroupName=group)
        answer = function.invoke(
            FunctionName=stack.physical_name("test-traffic-hook-the-suffix"), Payload=b"{}"
        )
        assert "FunctionError" in answer, "it has logged its error"

        def look() -> None:
            if not groups(logs, group):
                raise NotYetError("no such group")

        if creates:
            wait_for("the group", look, deadline=10, interval=0.1)
        else:
            time.sleep(1)
        assert groups(logs, group) == ([None] if creates else [])
    assert groups(logs, group) == []


def groups(logs: Any, name: str) -> list[int | None]:
    """Return the retention in days of the log groups of a name; None is forever."""
    found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return [one.get("retentionInDays") for one in found if one["logGroupName"] == name]
