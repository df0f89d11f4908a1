"""Check the app with the AwsSolutions rules of cdk-nag: every finding is suppressed with a reason, or fails.

A suppression without a finding fails too.
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

from tools.synthesis import SUFFIX, defaults, every_option, synthesize

# The example of the key promotedFrom.
EXAMPLE_SOURCES = {"qa": "111111111111", "test": "222222222222"}

_OBJECTS = "IAM5[Resource::<ArtifactsBucket.Arn>/*]"
_ARTIFACT = "IAM5[Resource::<ArtifactsBucket.Arn>/*/{}*]"
_NO_RESOURCE = "IAM5[Resource::*]"
_STACK = "IAM5[Resource::arn:aws:cloudformation:us-east-1:<AWS::AccountId>:stack/{}/*]"
_OBJECTS_REASON = "CodePipeline names the artifacts; the bucket holds only those of this pipeline"


@dataclass(frozen=True, order=True)
class Finding:
    """A rule (without `AwsSolutions-`) that a resource violates; logical ids are without their hash."""

    rule: str
    path: str


# Each reason holds for this resource, not for resources in general.
SUPPRESSIONS = {
    Finding("VPC7", "Network/Vpc"): "Flow logs are a setting: on in prod, off where they would cost too much",
    Finding("EC23", "Network/LoadBalancerGroup"): (
        "Only the public service's own ports; the test listener is open to no world-wide range (pitfall B8)"
    ),
    Finding("ELB2", "Network/LoadBalancer"): "Access logs are a setting: on in prod, off elsewhere",
    Finding("S1", "Network/AccessLogs/Bucket"): "It holds access logs itself",
    Finding("ECS2", "Compute/Task"): "The only variable is PORT, which is no secret",
    Finding(_NO_RESOURCE, "Compute/ExecutionRole"): "ecr:GetAuthorizationToken supports no resource",
    Finding(
        "IAM5[Resource::arn:aws:application-autoscaling:us-east-1:<AWS::AccountId>:scalable-target/*]",
        "Compute/Scaling/Role",
    ): "AWS creates the id of a target; the permissions of ECS, which it requires too, name the service",
    Finding("S1", "Pipeline/Artifacts/Bucket"): (
        "Access logs arrive after their bucket was emptied and would block destroy (pitfall H7)"
    ),
    Finding(_ARTIFACT.format("SourceOutp"), "Pipeline/Test/Role"): _OBJECTS_REASON,
    Finding(_ARTIFACT.format("SourceOutp"), "Pipeline/Build/Role"): _OBJECTS_REASON,
    Finding(_ARTIFACT.format("BuildOutpu"), "Pipeline/Build/Role"): _OBJECTS_REASON,
    Finding(
        _NO_RESOURCE, "Pipeline/Build/Role"
    ): "The actions that sign in to a registry support no resource",
    Finding(_NO_RESOURCE, "Pipeline/Deployment/Role"): "elasticloadbalancing:Describe... support no resource",
    Finding("IAM5[Resource::<TrafficHookFunction.Arn>:*]", "Pipeline/Deployment/Role"): (
        "`:*` stands for the versions and aliases of this one function"
    ),
    Finding(
        f"IAM5[Resource::arn:aws:ecs:us-east-1:<AWS::AccountId>:task-set/cluster-{SUFFIX}/service-{SUFFIX}/*]",
        "Pipeline/Deployment/Role",
    ): "CodeDeploy creates a task set with a new id in each deployment, in this one service",
    Finding(
        "IAM5[Resource::arn:aws:elasticloadbalancing:us-east-1:<AWS::AccountId>:"
        f"listener-rule/app/load-balancer-{SUFFIX}/*]",
        "Pipeline/Deployment/Role",
    ): "AWS creates the ids of listener rules; the load balancer is this environment's own",
    Finding(
        "IAM5[Resource::arn:aws:cloudwatch:us-east-1:<AWS::AccountId>:alarm:*]", "Pipeline/Deployment/Role"
    ): ("cloudwatch:DescribeAlarms is granted on alarm:* or not at all"),
    Finding(_NO_RESOURCE, "Pipeline/TrafficHook/Role"): (
        "ecs:DescribeTaskDefinition, ec2:DescribeNetworkInterfaces, ec2:DescribeSubnets: no resource; "
        "ecs:ListTasks: none either without container instances, so its condition names the cluster"
    ),
    Finding(
        f"IAM5[Resource::arn:aws:ecs:us-east-1:<AWS::AccountId>:task/cluster-{SUFFIX}/*]",
        "Pipeline/TrafficHook/Role",
    ): "ECS creates the ids of tasks; the cluster is this environment's own",
    Finding("IAM5[Resource::arn:aws:ec2:us-east-1:<AWS::AccountId>:*/*]", "Pipeline/TrafficHook/Role"): (
        "Lambda requires this form for a function in a VPC; the function's own code is denied it"
    ),
    **{
        Finding(f"IAM5[Resource::arn:aws:kms:us-east-1:{account}:key/*]", "Pipeline/TrafficHook/Role"): (
            "another account creates the id of its key; the condition kms:RequestAlias names the key"
        )
        for account in ("111111111111", "222222222222")
    },
    Finding(_NO_RESOURCE, "Pipeline/Deployment/Guard/Role"): (
        "ecs:DescribeTaskDefinition and codedeploy:StopDeployment support no resource"
    ),
    Finding(_NO_RESOURCE, "Pipeline/DriftCheck/Role"): (
        "elasticloadbalancing:DescribeListeners, ec2:DescribeSecurityGroups, ecs:DescribeTaskDefinition, and "
        "what waits for a detection of drift: no resource"
    ),
    **{
        Finding(f"IAM5[Resource::arn:aws:{own}-{SUFFIX}]", "Pipeline/DriftCheck/Role"): (
            "every role and function of this environment, to read them for CloudFormation"
        )
        for own in (
            "iam::<AWS::AccountId>:role/*",
            "lambda:us-east-1:<AWS::AccountId>:function:*",
        )
    },
    **{
        Finding(_STACK.format(stack), "Pipeline/DriftCheck/Role"): (
            "CloudFormation makes up ids, and the end of the names of nested stacks; it detects drift only"
        )
        for stack in (f"stack-{SUFFIX}", f"stack-{SUFFIX}-*NestedStack*")
    },
    Finding(_NO_RESOURCE, "Pipeline/ImageKeeper/Role"): "ecs:DescribeTaskDefinition supports no resource",
    Finding(_ARTIFACT.format("BuildOutpu"), "Pipeline/ImageCopy/Role"): _OBJECTS_REASON,
    Finding(_ARTIFACT.format("CopyOutput"), "Pipeline/ImageCopy/Role"): _OBJECTS_REASON,
    Finding(_OBJECTS, "Pipeline/Role"): _OBJECTS_REASON,
    Finding(_ARTIFACT.format("SourceOutp"), "Pipeline/SourceActionRole"): _OBJECTS_REASON,
    Finding(_ARTIFACT.format("BuildOutpu"), "Pipeline/DeployActionRole"): _OBJECTS_REASON,
    Finding(_NO_RESOURCE, "Pipeline/DeployActionRole"): "ecs:RegisterTaskDefinition supports no resource",
    Finding(_NO_RESOURCE, "Access/CrossAccountRole"): "ecs:RegisterTaskDefinition supports no resource",
    Finding(_NO_RESOURCE, "Access/GithubRole"): "elasticloadbalancing:Describe... support no resource",
    Finding(_STACK.format(f"stack-{SUFFIX}-*NestedStack*"), "Access/GithubRole"): (
        "CloudFormation makes up the end of the names of nested stacks; it only reads them"
    ),
    **{
        Finding(_STACK.format(f"stack-{SUFFIX}"), role): "AWS creates the id after the name of the stack"
        for role in ("Access/GithubRole", "SettingsGuard/Role")
    },
    **{
        Finding(f"IAM5[Resource::{arn}]", "Access/CrossAccountRole"): reason
        for source, account in EXAMPLE_SOURCES.items()
        for arn, reason in (
            (
                f"arn:aws:kms:us-east-1:{account}:key/*",
                "A key's id is not known to another account; through S3 only, and its policy must agree",
            ),
            (
                f"arn:aws:s3:::artifacts-{source}-{account}-us-east-1/*",
                "CodePipeline names the artifacts; the policy of the other environment's bucket must agree",
            ),
        )
    },
}


def findings(scope: IConstruct) -> Iterator[Finding]:
    """Yield the findings in a synthesized construct tree."""
    for violation in AwsSolutionsChecks(scope).validate_scope(scope).violations:
        rule = re.sub(r"<(\w+?)[0-9A-F]{8}\.", r"<\1.", violation.rule_name)
        for resource in violation.violating_resources:
            _, _, path = (resource.construct_path or "?").partition("/")
            yield Finding(rule.removeprefix("AwsSolutions-"), path.removesuffix("/Resource"))


def violations(found: set[Finding]) -> list[str]:
    """Return the findings without a suppression, and the suppressions without a finding."""
    return [
        *(f"{each.path}: {each.rule} is not suppressed" for each in sorted(found - SUPPRESSIONS.keys())),
        *(
            f"{each.path}: {each.rule} is suppressed and not found"
            for each in sorted(SUPPRESSIONS.keys() - found)
        ),
    ]


def main() -> int:
    """Check the app with and without every option; return 1 for a violation."""
    found: set[Finding] = set()
    for context in (defaults(), every_option()):
        with tempfile.TemporaryDirectory() as folder:
            found |= set(findings(synthesize(context, Path(folder))))
    lines = violations(found)
    for line in lines:
        print(f"error: {line}; see SUPPRESSIONS in tools/{Path(__file__).name}", file=sys.stderr)
    if not lines:
        print(f"cdk-nag: {len(found)} findings, each suppressed with a reason in tools/{Path(__file__).name}")
    return 1 if lines else 0
