"""Checks that a load balancer may write its access logs to their bucket, and writes ELB's test file.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
"""

from collections.abc import Callable
from typing import Any

from local_aws.core.api import AwsError
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.elbv2_snapshot import alb

s3 = require("services.s3", "_bucket_encryption", "_buckets", "_put_object")

WRITER = "logdelivery.elasticloadbalancing.amazonaws.com"
Params = dict[str, Any]


def access_log_check(context: Context) -> Callable[[Params], None]:
    """Return the check of ModifyLoadBalancerAttributes; it raises `AwsError` in AWS's words."""

    def check(params: Params) -> None:
        attributes = {item["Key"]: item["Value"] for item in alb._lb_attrs.get(_arn(params), [])}
        attributes |= _given(params)
        if attributes.get("access_logs.s3.enabled") != "true":
            return
        bucket = attributes.get("access_logs.s3.bucket", "")
        prefix = attributes.get("access_logs.s3.prefix", "")
        folder = f"{prefix}/AWSLogs" if prefix else "AWSLogs"
        key = f"{folder}/{context.account}/ELBAccessLogTestFile"
        if not bucket:
            raise AwsError("ValidationError", "The value of 'access_logs.s3.bucket' cannot be empty")
        if not _may_write(context, bucket, key):
            raise AwsError(
                "InvalidConfigurationRequest",
                f"Access Denied for bucket: {bucket}. Please check S3bucket permission",
            )
        s3._put_object(bucket, key, f"Enable AccessLog for ELB: {_arn(params)}".encode(), {})

    return check


def _may_write(context: Context, bucket: str, key: str) -> bool:
    # With SSE-KMS as the bucket's encryption, the load balancer cannot write.
    encrypted_with_kms = "aws:kms" in s3._bucket_encryption.get(bucket, "")
    if bucket not in s3._buckets or encrypted_with_kms:
        return False
    return context.denial_reason(WRITER, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}") is None


def _arn(params: Params) -> str:
    return str(alb._p(params, "LoadBalancerArn"))


def _given(params: Params) -> dict[str, str]:
    given: dict[str, str] = {}
    while key := alb._p(params, f"Attributes.member.{len(given) + 1}.Key"):
        given[key] = str(alb._p(params, f"Attributes.member.{len(given) + 1}.Value") or "")
    return given
