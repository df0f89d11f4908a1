"""Pitfalls of an account: what its services send, and its limits that grow with environments."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from harness.cloud import Cloud
from harness.stacks import CREATED, temporary_stack
from harness.synthesized_app import synthesized
from integration_tests.pitfalls.pipelines import source

MOST_POLICIES = 10


def test_a_trust_that_requires_the_pipelines_arn_locks_codepipeline_out(cloud: Cloud) -> None:
    """pitfall D10: no page of AWS says that CodePipeline sends the ARN of its pipeline."""
    resources = source(cloud)
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
    (trust,) = resources["PipelineRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    trust["Condition"]["ArnLike"] = {
        "aws:SourceArn": {"Fn::Sub": "arn:aws:codepipeline:us-east-1:${AWS::AccountId}:pipeline-the-suffix"}
    }
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == "ROLLBACK_COMPLETE"
        role = f"arn:aws:iam::{cloud.account.id}:role/{stack.physical_name('pipeline-role-the-suffix')}"
        words = f"CodePipeline is not authorized to perform AssumeRole on role {role}"
        assert words in stack.failures()


@contextmanager
def all_policies_taken(cloud: Cloud) -> Iterator[None]:
    """Give the account the ten resource policies of CloudWatch Logs that it can have."""
    logs, document = cloud.client("logs"), json.dumps({"Version": "2012-10-17", "Statement": []})
    present = len(logs.describe_resource_policies()["resourcePolicies"])
    names = [f"of-another-environment-{number}" for number in range(present, MOST_POLICIES)]
    for name in names:
        logs.put_resource_policy(policyName=name, policyDocument=document)
    try:
        yield
    finally:
        for name in names:
            logs.delete_resource_policy(policyName=name)


def test_an_eleventh_environment_has_no_room_for_a_log_policy_of_the_account(cloud: Cloud) -> None:
    """pitfall A5: the log group's own policy is none of the account's ten."""
    resources = synthesized(cloud).part("PipelineEventLogGroup")
    group = resources["PipelineEventLogGroup"]["Properties"]
    with all_policies_taken(cloud):
        with temporary_stack(cloud, resources) as stack:
            assert stack.final_status() == CREATED, stack.failures()
        document = group.pop("ResourcePolicyDocument")
        document["Statement"][0]["Resource"] = "*"
        policy = {"PolicyName": "event-log-the-suffix", "PolicyDocument": json.dumps(document)}
        resources["Policy"] = {"Type": "AWS::Logs::ResourcePolicy", "Properties": policy}
        with temporary_stack(cloud, resources) as stack:
            assert stack.final_status() == "ROLLBACK_COMPLETE"
            assert stack.failures().startswith("Resource limit exceeded.")
