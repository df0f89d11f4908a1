"""The rules for every resource: violations are found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import App, CfnDeletionPolicy, CfnResource, CfnStack, RemovalPolicy, Stack, Tags
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from aws_cdk.assertions import Annotations, Match

from infrastructure.aspects.guardrails import enforce_guardrails
from infrastructure.naming import Names

NAMES = Names("dev")
TAGS = NAMES.tags
DESTROY = RemovalPolicy.DESTROY


def errors(make: Callable[[Stack], object], *, tagged: bool = True) -> list[str]:
    """Synthesize one resource under the rules, and return the errors."""
    stack = Stack(App(), "Test")
    if tagged:
        for key, value in TAGS.items():
            Tags.of(stack).add(key, value)
    enforce_guardrails(stack, names=NAMES)
    make(stack)
    found = Annotations.from_stack(stack).find_error("*", Match.any_value())
    return [str(entry.entry.data) for entry in found]


def log_group(stack: Stack) -> logs.LogGroup:
    return logs.LogGroup(
        stack,
        "Logs",
        log_group_name="/ecs/task-dev",
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=DESTROY,
    )


def function(stack: Stack, *, log_group: logs.ILogGroup | None) -> lambda_.Function:
    return lambda_.Function(
        stack,
        "X",
        function_name="hook-dev",
        runtime=lambda_.Runtime.PYTHON_3_12,
        handler="index.handler",
        code=lambda_.Code.from_inline("pass"),
        log_group=log_group,
    )


def retained_when_replaced(stack: Stack) -> None:
    topic = sns.CfnTopic(stack, "X", topic_name="notifications-dev")
    topic.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN


def named(name: str | None) -> Callable[[Stack], object]:
    """Create a topic of this name, for any resource with a name."""
    return lambda stack: sns.Topic(stack, "X", topic_name=name)


def tagged(make: Callable[[Stack], CfnResource], name: str | None) -> Callable[[Stack], object]:
    """Give a resource without a name property this Name tag."""

    def make_tagged(stack: Stack) -> None:
        made = make(stack)
        if name is not None:
            Tags.of(made).add("Name", name)

    return make_tagged


def vpc(stack: Stack) -> CfnResource:
    return ec2.CfnVPC(stack, "X", cidr_block="10.0.0.0/16")


def nested(stack: Stack) -> CfnResource:
    return CfnStack(stack, "X", template_url="https://example.com/template.json")


# Resources with tags and without a name property, in several services.
NAMED_BY_TAG: dict[str, Callable[[Stack], CfnResource]] = {
    "a VPC": vpc,
    "a listener": lambda stack: elbv2.CfnListener(stack, "X", load_balancer_arn="arn", default_actions=[]),
    "a key": lambda stack: kms.CfnKey(stack, "X"),
    "an OIDC provider": lambda stack: iam.CfnOIDCProvider(stack, "X", url="https://example.com"),
    "a certificate": lambda stack: acm.CfnCertificate(stack, "X", domain_name="example.com"),
}


BROKEN: dict[str, tuple[Callable[[Stack], object], str]] = {
    "a bucket that is retained": (lambda stack: s3.Bucket(stack, "X"), "RemovalPolicy.DESTROY"),
    "a bucket that is not emptied": (
        lambda stack: s3.Bucket(stack, "X", removal_policy=DESTROY),
        "set auto_delete_objects",
    ),
    "images that are not deleted": (
        lambda stack: ecr.Repository(stack, "X", removal_policy=DESTROY),
        "set empty_on_delete",
    ),
    "reports that are not deleted": (
        lambda stack: codebuild.ReportGroup(stack, "X", removal_policy=DESTROY),
        "set delete_reports",
    ),
    "a protected load balancer": (
        lambda stack: elbv2.CfnLoadBalancer(
            stack,
            "X",
            load_balancer_attributes=[
                elbv2.CfnLoadBalancer.LoadBalancerAttributeProperty(
                    key="deletion_protection.enabled", value="true"
                )
            ],
        ),
        "set deletion_protection to False",
    ),
    **{
        f"{what} without a Name tag": (tagged(make, None), "give it the tag Name with {type}-dev")
        for what, make in NAMED_BY_TAG.items()
    },
    "a VPC named like its construct": (tagged(vpc, "Network/Vpc"), "has the tag Name Network/Vpc"),
    "a VPC of another environment": (tagged(vpc, "vpc-prod"), "has the tag Name vpc-prod"),
    "a nested stack with a Name tag": (tagged(nested, "network-dev"), "would copy to every resource"),
    "a log group of two years": (
        lambda stack: logs.LogGroup(stack, "X", removal_policy=DESTROY),
        "keeps its logs 731 days",
    ),
    "a log group for ever": (
        lambda stack: logs.LogGroup(
            stack, "X", retention=logs.RetentionDays.INFINITE, removal_policy=DESTROY
        ),
        "keeps its logs for ever",
    ),
    "a resource that is retained when it is replaced": (
        retained_when_replaced,
        "when it is replaced",
    ),
    "a function that logs outside the stack": (
        lambda stack: function(stack, log_group=None),
        "a group outside the stack",
    ),
    "a build that logs outside the stack": (
        lambda stack: codebuild.Project(
            stack,
            "X",
            project_name="build-dev",
            build_spec=codebuild.BuildSpec.from_object({"version": "0.2"}),
        ),
        "a group outside the stack",
    ),
    "a cluster with Container Insights": (
        lambda stack: ecs.Cluster(
            stack, "X", cluster_name="cluster-dev", container_insights_v2=ecs.ContainerInsights.ENABLED
        ),
        "create the log group /aws/ecs/containerinsights/{cluster}/performance in its stack",
    ),
    "a cluster that leaves Container Insights to the account": (
        lambda stack: ecs.Cluster(stack, "X", cluster_name="cluster-dev"),
        "create the log group /aws/ecs/containerinsights/{cluster}/performance in its stack",
    ),
    "no name": (named(None), "has no name: set topic_name"),
    "a name without a suffix": (named("notifications"), "is named notifications"),
    "a name of another environment": (named("notifications-prod"), "is named notifications-prod"),
    "a suffix in the middle": (named("notifications-dev-2"), "is named notifications-dev-2"),
    "a suffix alone": (named("dev"), "is named dev"),
    "a parameter outside the environment's folder": (
        lambda stack: ssm.StringParameter(stack, "X", parameter_name="/dev/user", string_value="x"),
        "is named /dev/user",
    ),
    "a bucket that collides with everybody's": (
        lambda stack: s3.Bucket(stack, "X", bucket_name="artifacts-dev"),
        "is named artifacts-dev",
    ),
}


@pytest.mark.parametrize("broken", sorted(BROKEN))
def test_a_violation_has_the_resource_and_the_fix_in_its_error(broken: str) -> None:
    make, says = BROKEN[broken]
    found = errors(make)
    assert any(line.startswith("Test/X") and says in line for line in found), found


def test_a_resource_without_our_tags_is_a_violation_with_the_missing_tags() -> None:
    (line,) = errors(log_group, tagged=False)
    assert line.startswith(
        "Test/Logs/Resource (AWS::Logs::LogGroup) lacks the tags cost-centre, environment,"
    )


def test_a_resource_that_complies_with_the_rules_passes() -> None:
    assert not errors(log_group)


def test_a_function_that_logs_to_a_group_of_the_stack_passes() -> None:
    found = errors(lambda stack: function(stack, log_group=log_group(stack)))
    # The role that the CDK creates for it is not tested here.
    assert [line for line in found if "AWS::IAM::Role" not in line] == []


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda stack, name: sns.Topic(stack, "X", topic_name=name), "notifications-dev"),
        (
            lambda stack, name: ssm.StringParameter(stack, "X", parameter_name=name, string_value="x"),
            "/docker-hub-dev/username",
        ),
    ],
)
def test_a_name_of_ours_passes(make: Callable[[Stack, str], object], name: str) -> None:
    assert not errors(lambda stack: make(stack, name))


@pytest.mark.parametrize("what", sorted(NAMED_BY_TAG))
def test_a_name_tag_of_ours_passes(what: str) -> None:
    assert not errors(tagged(NAMED_BY_TAG[what], "resource-dev"))


def test_a_nested_stack_needs_no_name_tag() -> None:
    """CloudFormation names it after the root stack."""
    assert not errors(nested)


def test_a_cluster_with_the_log_group_of_its_container_insights_passes() -> None:
    """ECS would create a missing group, without a retention (pitfall H3)."""

    def cluster(stack: Stack, group: str) -> None:
        logs.LogGroup(
            stack,
            "Logs",
            log_group_name=group,
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=DESTROY,
        )
        ecs.Cluster(
            stack, "X", cluster_name="cluster-dev", container_insights_v2=ecs.ContainerInsights.ENABLED
        )

    def found(group: str) -> list[str]:
        return [line for line in errors(lambda stack: cluster(stack, group)) if "Insights" in line]

    assert not found("/aws/ecs/containerinsights/cluster-dev/performance")
    assert found("/aws/ecs/cluster-dev")
