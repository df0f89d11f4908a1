"""The app complies with the rules for every resource."""

from __future__ import annotations

from infrastructure.naming import Names
from unit_tests.infrastructure.synthesized import Templates

TAGS = Names("dev").tags
# The types of our templates that have no tags in CloudFormation.
TAGLESS = {
    "AWS::CloudFormation::Stack",
    "AWS::EC2::Route",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::KMS::Alias",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "Custom::S3AutoDeleteObjects",
    "Custom::SettingsGuard",
    "Custom::VpcRestrictDefaultSG",
}


def test_nothing_of_the_app_is_retained(templates: Templates) -> None:
    for resource in templates.resources():
        assert resource.body.get("DeletionPolicy", "Delete") == "Delete", resource.id
        assert resource.body.get("UpdateReplacePolicy", "Delete") == "Delete", resource.id


def test_every_log_group_of_the_app_keeps_30_days(templates: Templates) -> None:
    groups = templates.resources("AWS::Logs::LogGroup")
    assert {group.properties["LogGroupName"] for group in groups} == {
        "/ecs/task-dev",
        "/codebuild/build-dev",
        "/codebuild/test-dev",
        "/lambda/artifacts-cleaner-dev",
        "/aws/ecs/containerinsights/cluster-dev/performance",
        "/lambda/settings-guard-dev",
        "/aws/events/pipeline-dev",
        "/lambda/default-group-rules-dev",
        "/lambda/build-retry-dev",
        "/lambda/deployment-guard-dev",
        "/lambda/drift-check-dev",
        "/lambda/image-keeper-dev",
        "/lambda/test-traffic-hook-dev",
    }
    assert {group.properties["RetentionInDays"] for group in groups} == {30}


def test_every_resource_of_the_app_that_can_have_tags_has_ours(templates: Templates) -> None:
    for resource in templates.resources():
        if resource.type in TAGLESS:
            continue
        given = resource.properties["Tags"]
        tags = given if isinstance(given, dict) else {tag["Key"]: tag["Value"] for tag in given}
        assert tags.items() >= TAGS.items(), resource.id


def test_no_tag_changes_with_the_time_or_the_commit() -> None:
    """A changed tag updates the ECS service, which AWS may reject (pitfall C2)."""
    assert TAGS == {
        "project": "python-service-pipeline",
        "service": "sample-service",
        "environment": "dev",
        "managed-by": "cdk",
        "cost-centre": "python-service-pipeline",
    }
