"""The bucket of the load balancer's access logs."""

from __future__ import annotations

from unit_tests.infrastructure.synthesized import Templates, plain, templates_of

NAME = "access-logs-a-longer-one-<AWS::AccountId>-us-east-1"


def test_access_logs_are_a_setting_that_is_on_in_prod(templates: Templates) -> None:
    assert [one.stack for one in templates.resources("AWS::S3::Bucket")] == ["pipeline"]
    prod = templates_of(environmentSuffix="prod")
    assert {one.stack for one in prod.resources("AWS::S3::Bucket")} == {"network", "pipeline"}
    assert prod.resources("AWS::EC2::FlowLog")


def test_access_logs_are_encrypted_by_s3_and_kept_30_days(other: Templates) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"""
    (bucket,) = other.resources("AWS::S3::Bucket", "network")
    assert plain(bucket.properties["BucketName"]) == NAME
    (encryption,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (rule,) = bucket.properties["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 30
    assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}


def test_only_the_load_balancers_of_this_account_may_write_them(other: Templates) -> None:
    (policy,) = other.resources("AWS::S3::BucketPolicy", "network")
    (bucket,) = other.resources("AWS::S3::Bucket", "network")
    (allowed,) = [
        one for one in policy.properties["PolicyDocument"]["Statement"] if one["Action"] == "s3:PutObject"
    ]
    assert allowed["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert plain(allowed["Resource"]) == f"<{bucket.id}.Arn>/AWSLogs/<AWS::AccountId>/*"


def test_the_load_balancer_is_created_after_the_policy_and_deleted_before_the_bucket_is_emptied(
    other: Templates,
) -> None:
    """ELB checks the policy when the attribute is set, and may write until it is deleted (pitfall H7)."""
    balancer = other.only("AWS::ElasticLoadBalancingV2::LoadBalancer")
    kinds = ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Custom::S3AutoDeleteObjects")
    needed = {one.id for kind in kinds for one in other.resources(kind, "network")}
    assert len(needed) == 3
    assert needed <= balancer.depends_on
