"""The templates together: no cycle, and two environments in one account (pitfalls K1, L)."""

from __future__ import annotations

import json
import re
from graphlib import CycleError, TopologicalSorter

import pytest

from tools.assembly import Resource, references
from unit_tests.infrastructure.synthesized import PARTS, Templates, plain, templates_of

NAME_LIMITS = {
    "AWS::CodeBuild::Project": ("Name", 150),
    "AWS::CodeCommit::Repository": ("RepositoryName", 100),
    "AWS::CodeDeploy::Application": ("ApplicationName", 100),
    "AWS::CodeDeploy::DeploymentGroup": ("DeploymentGroupName", 100),
    "AWS::CodePipeline::Pipeline": ("Name", 100),
    "AWS::ECR::Repository": ("RepositoryName", 256),
    "AWS::ECS::Cluster": ("ClusterName", 255),
    "AWS::ECS::Service": ("ServiceName", 255),
    "AWS::ECS::TaskDefinition": ("Family", 255),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("Name", 32),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("Name", 32),
    "AWS::Events::Rule": ("Name", 64),
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::Logs::LogGroup": ("LogGroupName", 512),
    "AWS::SNS::Topic": ("TopicName", 256),
    "AWS::CloudWatch::Alarm": ("AlarmName", 255),
    "AWS::CloudWatch::Dashboard": ("DashboardName", 255),
    "AWS::CodeBuild::ReportGroup": ("Name", 128),
    "AWS::KMS::Alias": ("AliasName", 256),
    "AWS::SSM::Parameter": ("Name", 1011),
}


def order(resources: list[Resource]) -> list[str]:
    """Sort as CloudFormation does; raises CycleError where it would report `Circular dependency`."""
    known = {resource.id for resource in resources}
    return list(TopologicalSorter({each.id: each.depends_on & known for each in resources}).static_order())


@pytest.mark.parametrize("part", PARTS)
def test_no_template_has_a_circular_dependency(templates: Templates, part: str) -> None:
    """`cdk synth` accepts one; CloudFormation rejects it after the upload (pitfall K1)."""
    assert order(templates.resources(part=part))


def test_a_circular_dependency_is_seen() -> None:
    """Negative control: two nested stacks with each other's outputs, which `cdk synth` accepts."""
    one = {"Type": "T", "Properties": {"Parameters": {"p": {"Fn::GetAtt": ["Two", "Outputs.x"]}}}}
    two = {"Type": "T", "Properties": {"Parameters": {"p": {"Fn::GetAtt": ["One", "Outputs.y"]}}}}
    with pytest.raises(CycleError):
        order([Resource("root", "One", one), Resource("root", "Two", two)])


def test_the_nested_stacks_are_created_in_the_order_network_compute_pipeline(templates: Templates) -> None:
    stacks = {each.id for each in templates.resources("AWS::CloudFormation::Stack")}
    ids = [each for each in order(templates.resources(part="root")) if each in stacks]
    stands = [next(part for part in PARTS if id_.lower().startswith(part)) for id_ in ids]
    assert stands == ["network", "compute", "pipeline"]


def test_each_parameter_of_a_nested_stack_gets_a_value_and_each_value_has_a_parameter(
    templates: Templates,
) -> None:
    for stack in templates.resources("AWS::CloudFormation::Stack"):
        part = next(part for part in PARTS if stack.id.lower().startswith(part))
        given = set(stack.properties.get("Parameters", {}))
        assert given == set(templates.by_part[part].get("Parameters", {}))


def test_each_parameter_value_is_an_output_of_another_stack(templates: Templates) -> None:
    outputs = {part: set(templates.by_part[part].get("Outputs", {})) for part in PARTS}
    for stack in templates.resources("AWS::CloudFormation::Stack"):
        for value in stack.properties.get("Parameters", {}).values():
            source, attribute = value["Fn::GetAtt"]
            part = next(part for part in PARTS if source.lower().startswith(part))
            assert attribute.removeprefix("Outputs.") in outputs[part]


@pytest.mark.parametrize("part", PARTS)
def test_each_reference_names_something_of_its_own_template(templates: Templates, part: str) -> None:
    template = templates.by_part[part]
    known = set(template["Resources"]) | set(template.get("Parameters", {}))
    for resource in templates.resources(part=part):
        assert resource.depends_on <= known, resource.id
    assert references(template.get("Outputs", {})) <= known


@pytest.mark.parametrize("suffix", ["dev", "a-longer-one"])
def test_each_name_ends_in_the_suffix_and_is_within_the_limit_of_aws(
    templates: Templates, other: Templates, suffix: str
) -> None:
    resources = (templates if suffix == "dev" else other).resources()
    for resource in resources:
        if resource.type not in NAME_LIMITS:
            continue
        key, longest = NAME_LIMITS[resource.type]
        name = str(plain(resource.properties[key]))
        ends = (f"-{suffix}", f"-{suffix}/username", f"-{suffix}/performance", f"-{suffix}/told")
        assert name.endswith(ends), resource.id
        assert len(name) <= longest, resource.id


def test_the_bucket_name_has_the_account_because_bucket_names_are_global(templates: Templates) -> None:
    bucket = templates.only("AWS::S3::Bucket")
    assert plain(bucket.properties["BucketName"]) == "artifacts-dev-<AWS::AccountId>-us-east-1"


def test_two_suffixes_differ_in_names_only(templates: Templates) -> None:
    """What `cdk diff` would say between them; the hash is of the templates, which are compared themselves."""

    def lines(given: Templates) -> list[str]:
        text = json.dumps(dict(given.by_part), sort_keys=True, indent=1)
        return re.sub(r"[0-9a-f]{64}", "", text).splitlines()

    dev, omega = lines(templates), lines(templates_of(environmentSuffix="omega"))
    assert len(dev) == len(omega)
    assert any("omega" in line for line in omega)
    differ = [(one, two) for one, two in zip(dev, omega, strict=True) if one != two.replace("omega", "dev")]
    assert not differ


def test_two_environments_have_the_same_resources_under_other_names(
    templates: Templates, other: Templates
) -> None:
    def ids(given: Templates) -> set[tuple[str, str]]:
        return {(each.type, each.id) for each in given.resources()}

    assert not ids(templates) - ids(other)
    # The other environment has a second NAT gateway, a redirect to HTTPS, and more logs, and it scales.
    more = {kind for kind, _ in ids(other) - ids(templates)}
    assert more == {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::CloudWatch::Alarm",
        "AWS::EC2::EIP",
        "AWS::EC2::FlowLog",
        "AWS::EC2::NatGateway",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "Custom::S3AutoDeleteObjects",
    }


def test_no_environment_refers_to_another(templates: Templates, other: Templates) -> None:
    assert "a-longer-one" not in json.dumps(templates.by_part)
    # A file of the service has this word in its name.
    assert not re.search(r"(?<!requirements)[-/]dev\b", json.dumps(other.by_part))
