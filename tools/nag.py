"""Check the app with cdk-nag's AwsSolutions rules: `python -m tools.nag`.

Exit code 1 for a finding that nobody explained, and for an explanation that explains nothing any more.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from tools.assembly import SUFFIX, defaults, every_option, synthesize

# The example of the key trustedAccounts.
EXAMPLE_ACCOUNTS = ("111111111111", "222222222222")

_OBJECTS = "IAM5[Resource::<ArtifactsBucket.Arn>/*]"
_NO_RESOURCE = "IAM5[Resource::*]"
_OBJECTS_REASON = "CodePipeline names the artifacts; the bucket holds nothing but this pipeline's"


@dataclass(frozen=True, order=True)
class Finding:
    """A rule (without `AwsSolutions-`) that a resource breaks; logical ids are written without their hash."""

    rule: str
    path: str


# Each reason is true of this resource, not of resources in general.
EXPLAINED = {
    Finding("VPC7", "Network/Vpc"): (
        "Flow logs would cost more than the service, and late records would recreate their group (pitfall H2)"
    ),
    Finding("EC23", "Network/LoadBalancerGroup"): (
        "Only the public service's own ports; the test listener is open to no world-wide range (pitfall B8)"
    ),
    Finding("ELB2", "Network/LoadBalancer"): (
        "Access logs arrive after a bucket was emptied and would block destroy (pitfall H7)"
    ),
    Finding("ECS4", "Compute/Cluster"): (
        "Container Insights writes to a log group outside the stack, which destroy would leave (pitfall H3)"
    ),
    Finding("ECS2", "Compute/Task"): "The only variable is PORT, which is no secret",
    Finding(_NO_RESOURCE, "Compute/ExecutionRole"): "ecr:GetAuthorizationToken has no resource",
    Finding("S1", "Pipeline/Artifacts/Bucket"): (
        "Access logs arrive after their bucket was emptied and would block destroy (pitfall H7)"
    ),
    Finding(_OBJECTS, "Pipeline/Build/Role"): _OBJECTS_REASON,
    Finding(_NO_RESOURCE, "Pipeline/Build/Role"): "ecr:GetAuthorizationToken has no resource",
    Finding(_NO_RESOURCE, "Pipeline/Deployment/Role"): "elasticloadbalancing:Describe... have no resource",
    Finding(
        f"IAM5[Resource::arn:aws:ecs:us-east-1:<AWS::AccountId>:task-set/cluster-{SUFFIX}/service-{SUFFIX}/*]",
        "Pipeline/Deployment/Role",
    ): "CodeDeploy makes a task set with a new id at each release, in this one service",
    Finding(
        "IAM5[Resource::arn:aws:elasticloadbalancing:us-east-1:<AWS::AccountId>:"
        f"listener-rule/app/load-balancer-{SUFFIX}/*]",
        "Pipeline/Deployment/Role",
    ): "AWS makes the ids of a listener's rules; the load balancer is ours alone",
    Finding(
        "IAM5[Resource::arn:aws:cloudwatch:us-east-1:<AWS::AccountId>:alarm:*]", "Pipeline/Deployment/Role"
    ): ("cloudwatch:DescribeAlarms is granted on alarm:* or not at all"),
    Finding(_NO_RESOURCE, "Pipeline/TrafficHook/Role"): (
        "ecs:DescribeTaskDefinition, ec2:DescribeNetworkInterfaces and ec2:DescribeSubnets have no resource"
    ),
    Finding("IAM5[Resource::arn:aws:ec2:us-east-1:<AWS::AccountId>:*/*]", "Pipeline/TrafficHook/Role"): (
        "Lambda demands this form of whoever stands in a VPC; the function's own code is denied it"
    ),
    Finding(_OBJECTS, "Pipeline/Role"): _OBJECTS_REASON,
    Finding(_OBJECTS, "Pipeline/SourceActionRole"): _OBJECTS_REASON,
    Finding(_OBJECTS, "Pipeline/DeployActionRole"): _OBJECTS_REASON,
    Finding(_NO_RESOURCE, "Pipeline/DeployActionRole"): "ecs:RegisterTaskDefinition has no resource",
    Finding(_NO_RESOURCE, "Access/CrossAccountRole"): "ecs:RegisterTaskDefinition has no resource",
    **{
        Finding(f"IAM5[Resource::{arn}]", path): reason
        for account in EXAMPLE_ACCOUNTS
        for arn, path, reason in (
            (
                f"arn:aws:ecr:us-east-1:{account}:repository/images-*",
                "Compute/ExecutionRole",
                "A trusted account's environments are not known here; its repository's policy must agree",
            ),
            (
                f"arn:aws:kms:us-east-1:{account}:key/*",
                "Access/CrossAccountRole",
                "A key's id is not known to another account; through S3 only, and its policy must agree",
            ),
            (
                f"arn:aws:s3:::artifacts-*-{account}-us-east-1",
                "Access/CrossAccountRole",
                "A trusted account's environments are not known here; its bucket's policy must agree",
            ),
            (
                f"arn:aws:s3:::artifacts-*-{account}-us-east-1/*",
                "Access/CrossAccountRole",
                "CodePipeline names the artifacts; the trusted account's bucket's policy must agree",
            ),
        )
    },
}


def findings(scope: IConstruct) -> Iterator[Finding]:
    """Say what the rules find in a synthesized tree, nested stacks included."""
    for violation in AwsSolutionsChecks(scope).validate_scope(scope).violations:
        rule = re.sub(r"<(\w+?)[0-9A-F]{8}\.", r"<\1.", violation.rule_name)
        for resource in violation.violating_resources:
            _, _, path = (resource.construct_path or "?").partition("/")
            yield Finding(rule.removeprefix("AwsSolutions-"), path.removesuffix("/Resource"))


def complaints(found: set[Finding]) -> list[str]:
    """Compare what was found with what is explained: neither may be without the other."""
    return [
        *(f"{finding.path}: {finding.rule} is not explained" for finding in sorted(found - EXPLAINED.keys())),
        *(
            f"{finding.path}: {finding.rule} is explained, not found"
            for finding in sorted(EXPLAINED.keys() - found)
        ),
    ]


def main() -> int:
    """Synthesize with and without every option, and print what does not match."""
    found: set[Finding] = set()
    for context in (defaults(), every_option()):
        with tempfile.TemporaryDirectory() as folder:
            found |= set(findings(synthesize(context, Path(folder))))
    problems = complaints(found)
    for problem in problems:
        print(f"error: {problem}; see infrastructure/{Path(__file__).name}", file=sys.stderr)
    if not problems:
        print(f"cdk-nag: {len(found)} findings, each explained in infrastructure/{Path(__file__).name}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
