"""The operations cover every resource type and name of the templates."""

from __future__ import annotations

import pytest

from operations.inventory import KINDS
from operations.ownership import Ownership, Resource
from operations.preflight.account_checks import BOOTSTRAP_PARAMETER, BOOTSTRAP_VERSION
from operations.unmanaged_resources import log_groups
from unit_tests.infrastructure.synthesized import Templates, plain

# A type of CloudFormation -> the kind of the inventory that lists it.
LISTED = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "scalable targets",
    "AWS::CloudFormation::Stack": "CloudFormation stacks",
    "AWS::CloudWatch::Alarm": "CloudWatch alarms",
    "AWS::CloudWatch::CompositeAlarm": "CloudWatch alarms",
    "AWS::CloudWatch::Dashboard": "CloudWatch dashboards",
    "AWS::CodeBuild::Project": "CodeBuild projects",
    "AWS::CodeBuild::ReportGroup": "CodeBuild report groups",
    "AWS::CodeCommit::Repository": "CodeCommit repositories",
    "AWS::CodeDeploy::Application": "CodeDeploy applications",
    "AWS::CodeDeploy::DeploymentGroup": "CodeDeploy applications",
    "AWS::CodePipeline::Pipeline": "pipelines",
    "AWS::EC2::EIP": "Elastic IP addresses",
    "AWS::EC2::FlowLog": "flow logs",
    "AWS::EC2::InternetGateway": "internet gateways",
    "AWS::EC2::NatGateway": "NAT gateways",
    "AWS::EC2::RouteTable": "route tables",
    "AWS::EC2::SecurityGroup": "security groups",
    "AWS::EC2::Subnet": "subnets",
    "AWS::EC2::VPC": "VPCs",
    "AWS::EC2::VPCEndpoint": "VPC endpoints",
    "AWS::ECR::Repository": "ECR repositories",
    "AWS::ECS::Cluster": "ECS clusters",
    "AWS::ECS::Service": "ECS services",
    "AWS::ECS::TaskDefinition": "task definitions",
    "AWS::ElasticLoadBalancingV2::Listener": "load balancers",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancers",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "target groups",
    "AWS::Events::Rule": "EventBridge rules",
    "AWS::IAM::ManagedPolicy": "IAM policies",
    "AWS::IAM::OIDCProvider": "OIDC providers",
    "AWS::IAM::Role": "IAM roles",
    "AWS::KMS::Alias": "KMS aliases",
    "AWS::KMS::Key": "KMS keys",
    "AWS::Lambda::Function": "Lambda functions",
    "AWS::Logs::LogGroup": "log groups",
    "AWS::S3::Bucket": "S3 buckets",
    "AWS::SNS::Subscription": "SNS subscriptions",
    "AWS::SNS::Topic": "SNS topics",
    "AWS::SSM::Parameter": "SSM parameters",
}
# A type -> why it needs no kind: it cannot remain after a resource that has one.
DEPENDENT = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": "It goes with its scalable target.",
    "AWS::EC2::Route": "It is a line of its route table.",
    "AWS::EC2::SecurityGroupEgress": "It is a line of its security group.",
    "AWS::EC2::SecurityGroupIngress": "It is a line of its security group.",
    "AWS::EC2::SubnetRouteTableAssociation": "It goes with its subnet.",
    "AWS::EC2::VPCGatewayAttachment": "It joins a VPC and an internet gateway, and goes with either.",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "It is a line of its listener.",
    "AWS::IAM::Policy": "It is part of its role.",
    "AWS::Lambda::Permission": "It is a line of its function's policy.",
    "AWS::S3::BucketPolicy": "It is part of its bucket.",
    "AWS::SNS::TopicPolicy": "It is part of its topic.",
    "Custom::S3AutoDeleteObjects": "It is a call of a Lambda function, and makes nothing.",
    "Custom::VpcRestrictDefaultSG": "It is a call of a Lambda function, and makes nothing.",
    "Custom::SettingsGuard": "It is a call of a Lambda function, and makes nothing.",
}


@pytest.fixture(params=["templates", "other"])
def synthesized(request: pytest.FixtureRequest) -> Templates:
    """The app with the defaults, and with every optional key."""
    found: Templates = request.getfixturevalue(request.param)
    return found


def test_leftovers_list_every_type_that_the_app_can_create(synthesized: Templates) -> None:
    types = {resource.type for resource in synthesized.resources()}
    assert types - set(LISTED) - set(DEPENDENT) == set(), "add a kind to operations/inventory, and here"


def test_every_kind_here_is_one_of_the_inventory() -> None:
    assert set(LISTED.values()) <= set(KINDS)
    assert not set(LISTED) & set(DEPENDENT)


def test_destroy_deletes_every_log_group_that_a_late_write_may_recreate(synthesized: Templates) -> None:
    groups = synthesized.resources("AWS::Logs::LogGroup")
    (pipeline,) = synthesized.resources("AWS::CodePipeline::Pipeline")
    suffix = str(pipeline.properties["Name"]).removeprefix("pipeline-")
    names = {plain(group.properties["LogGroupName"]) for group in groups}
    assert names
    assert names <= set(log_groups(suffix)), "add it to LOG_GROUPS of operations/unmanaged_resources.py"


def test_preflight_requires_the_bootstrap_version_of_the_stack(synthesized: Templates) -> None:
    root = synthesized.by_part["root"]
    assert root["Parameters"]["BootstrapVersion"]["Default"] == BOOTSTRAP_PARAMETER
    (assertion,) = root["Rules"]["CheckBootstrapVersion"]["Assertions"]
    ((too_old, _),) = [contains["Fn::Contains"] for contains in assertion["Assert"]["Fn::Not"]]
    assert max(map(int, too_old)) + 1 == BOOTSTRAP_VERSION


def test_leftovers_know_every_name_of_the_templates_without_a_tag(synthesized: Templates) -> None:
    (cluster,) = synthesized.resources("AWS::ECS::Cluster")
    suffix = str(cluster.properties["ClusterName"]).removeprefix("cluster-")
    names = {
        str(value).replace("<AWS::AccountId>", "123456789012")
        for resource in synthesized.resources()
        for key, value in plain(resource.properties).items()
        if key.endswith("Name") or key in ("Name", "Family")
    }
    ours = {name for name in names if f"-{suffix}" in name}
    assert len(ours) > 60
    owns = Ownership(suffix).owns
    # Role names of promotions have the environment that is promoted to; all roles have tags.
    assert {name for name in ours if not owns(Resource("kind", name))} == {
        name for name in ours if name.startswith("approval-role-")
    }
