"""A load balancer's access logs: ELB checks the bucket when they are enabled, and writes a test file."""

from __future__ import annotations

from typing import Any

import pytest

from unit_tests.local_aws.cloudformation_cloud import Cloud, Template, template

NAME = "access-logs-dev-123456789012-us-east-1"
TEST_FILE = "AWSLogs/123456789012/ELBAccessLogTestFile"
BUCKET: Template = {"Type": "AWS::S3::Bucket", "BucketName": NAME}
KMS = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
NETWORK: dict[str, Template] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "CidrBlock": "10.0.0.0/16"},
    **{
        f"Subnet{number}": {
            "Type": "AWS::EC2::Subnet",
            "VpcId": {"Ref": "Vpc"},
            "CidrBlock": f"10.0.{number}.0/24",
            "AvailabilityZone": f"us-east-1{zone}",
        }
        for number, zone in enumerate("ab")
    },
}


def policy(principal: str, resource: str = "AWSLogs/123456789012/*") -> Template:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{NAME}/{resource}",
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::S3::BucketPolicy", "Bucket": {"Ref": "Logs"}, "PolicyDocument": document}


def balancer(**attributes: str) -> Template:
    return {
        "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Name": "load-balancer-dev",
        "Subnets": [{"Ref": "Subnet0"}, {"Ref": "Subnet1"}],
        "LoadBalancerAttributes": [
            {"Key": f"access_logs.s3.{key}", "Value": value} for key, value in attributes.items()
        ],
    }


def body(bucket: Template, rules: Template) -> str:
    text = template(**NETWORK, Logs=bucket, Policy=rules, Balancer=balancer(enabled="true", bucket=NAME))
    # The load balancer is created after the policy, as in the app.
    return text.replace('"Balancer": {', '"Balancer": {"DependsOn": ["Policy"], ', 1)


ALLOWED = policy("logdelivery.elasticloadbalancing.amazonaws.com")


def keys(cloud: Cloud) -> list[str]:
    found = cloud.client("s3").list_objects_v2(Bucket=NAME).get("Contents", [])
    return [one["Key"] for one in found]


def test_a_bucket_whose_policy_allows_it_gets_the_test_file(cloud: Cloud) -> None:
    assert cloud.create("logs", body(BUCKET, ALLOWED)) == "CREATE_COMPLETE"
    assert keys(cloud) == [TEST_FILE]
    elbv2 = cloud.client("elbv2")
    arn = cloud.physical("logs", "Balancer")
    found = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert {"Key": "access_logs.s3.bucket", "Value": NAME} in found
    # The file, and what the load balancer writes, must be deleted before the bucket (pitfall H7).
    assert cloud.delete("logs") == "DELETE_FAILED"
    assert "The bucket you tried to delete is not empty" in cloud.reasons("logs")
    cloud.client("s3").delete_object(Bucket=NAME, Key=TEST_FILE)
    assert cloud.delete("logs") == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("bucket", "rules"),
    [
        (BUCKET, policy("delivery.logs.amazonaws.com")),
        (BUCKET, policy("logdelivery.elasticloadbalancing.amazonaws.com", "other/*")),
        ({**BUCKET, "BucketEncryption": KMS}, ALLOWED),
    ],
    ids=["another service", "another prefix", "SSE-KMS"],
)
def test_a_bucket_that_it_may_not_write_to_fails_the_load_balancer(
    cloud: Cloud, bucket: Template, rules: Template
) -> None:
    assert cloud.create("denied", body(bucket, rules)) == "ROLLBACK_COMPLETE"
    assert f"Access Denied for bucket: {NAME}. Please check S3bucket permission" in cloud.reasons("denied")
    assert cloud.delete("denied") == "DELETE_COMPLETE"


def test_a_versioned_bucket_is_empty_only_without_versions_and_delete_markers(cloud: Cloud) -> None:
    versioned = {**BUCKET, "VersioningConfiguration": {"Status": "Enabled"}}
    assert cloud.create("versions", template(Logs=versioned)) == "CREATE_COMPLETE"
    s3 = cloud.client("s3")
    for content in (b"first", b"second"):
        s3.put_object(Bucket=NAME, Key="a", Body=content)
    s3.delete_object(Bucket=NAME, Key="a")
    assert keys(cloud) == []
    assert cloud.delete("versions") == "DELETE_FAILED"
    found: dict[str, Any] = s3.list_object_versions(Bucket=NAME)
    every = [*found["Versions"], *found["DeleteMarkers"]]
    assert len(every) == 3
    s3.delete_objects(
        Bucket=NAME,
        Delete={"Objects": [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in every]},
    )
    assert cloud.delete("versions") == "DELETE_COMPLETE"
