"""Adds to S3 buckets the properties that MiniStack's CloudFormation ignores, and a strict delete."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import service_model
from local_aws.core.cloudformation import convert
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import patch_handler
from local_aws.ministack.property_setters import add_property_setters

s3 = require(
    "services.s3",
    "_resolve_sse_write_headers",
    "_bucket_tags",
    "_buckets",
    "_new_bucket_public_access_block",
    "_NEW_BUCKET_PUBLIC_ACCESS_BLOCK",
)
app = require("app", "_extract_s3_vhost_bucket")
kms = require("services.kms", "_alias_arn", "_aliases", "_create_key", "_resolve_key")

ALGORITHM = "x-amz-server-side-encryption"
KEY_ID = "x-amz-server-side-encryption-aws-kms-key-id"
MANAGED_KEY = "alias/aws/s3"
# Properties of a lifecycle rule that the API nests under Expiration; the others have the API's names.
EXPIRY = {"ExpirationInDays": "Days", "ExpirationDate": "Date", "ExpiredObjectDeleteMarker": None}


def patch_s3(context: Context) -> None:
    """Set the ignored properties, reject the delete of a full bucket, and default SSE-KMS to AWS's key."""
    patch_handler("AWS::S3::Bucket", delete=_delete_bucket(context))
    add_property_setters(
        "AWS::S3::Bucket",
        {
            "BucketEncryption": lambda bucket, value: _encrypt(context, bucket, value),
            "LifecycleConfiguration": lambda bucket, value: _set_lifecycle(context, bucket, value),
            "OwnershipControls": lambda bucket, value: _set_ownership(context, bucket, value),
            "AccessControl": lambda bucket, value: _set_acl(context, bucket, value),
            "Tags": _tag,
        },
    )
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    s3._new_bucket_public_access_block = lambda: {"_public_access_block": s3._NEW_BUCKET_PUBLIC_ACCESS_BLOCK}
    original = s3._resolve_sse_write_headers

    def resolve(headers: Mapping[str, str], bucket: str) -> Any:
        if headers.get(ALGORITHM) == "aws:kms" and not headers.get(KEY_ID):
            headers = {**headers, KEY_ID: managed_key()}
        return original(headers, bucket)

    s3._resolve_sse_write_headers = resolve


def managed_key() -> str:
    """Return the ARN of the account's `aws/s3` key. As on AWS, its first use creates it."""
    found = kms._resolve_key(MANAGED_KEY)
    if found is None:
        response = kms._create_key({"Description": "Default key that protects my S3 objects"})
        key_id = json.loads(response[2])["KeyMetadata"]["KeyId"]
        kms._aliases[kms._alias_arn(MANAGED_KEY)] = key_id
        found = kms._resolve_key(key_id)
    return str(found["Arn"])


def virtual_bucket(host: str) -> str:
    """Return the bucket in a virtual-hosted Host header, or an empty string."""
    return str(app._extract_s3_vhost_bucket(host) or "")


def _encrypt(context: Context, bucket: str, value: Any) -> None:
    client = context.client("s3")
    if value is None:
        client.delete_bucket_encryption(Bucket=bucket)
        return
    rules = []
    for entry in value["ServerSideEncryptionConfiguration"]:
        rule = dict(entry)
        rule["ApplyServerSideEncryptionByDefault"] = rule.pop("ServerSideEncryptionByDefault", {})
        rules.append(rule)
    configuration = _argument("PutBucketEncryption", "ServerSideEncryptionConfiguration", {"Rules": rules})
    client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=configuration)


def _set_lifecycle(context: Context, bucket: str, value: Any) -> None:
    client = context.client("s3")
    if value is None:
        client.delete_bucket_lifecycle(Bucket=bucket)
        return
    rest = dict(value)
    rules = [_lifecycle_rule(rule) for rule in rest.pop("Rules")]
    configuration = _argument(
        "PutBucketLifecycleConfiguration", "LifecycleConfiguration", {"Rules": rules, **rest}
    )
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=configuration)


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    rest = dict(rule)
    expiration = {(EXPIRY[name] or name): rest.pop(name) for name in EXPIRY if name in rest}
    prefix = rest.pop("Prefix", "")
    if expiration:
        rest["Expiration"] = expiration
    return {**rest, "Filter": {"Prefix": prefix}}


def _set_ownership(context: Context, bucket: str, value: Any) -> None:
    client = context.client("s3")
    if value is None:
        client.delete_bucket_ownership_controls(Bucket=bucket)
        return
    controls = _argument("PutBucketOwnershipControls", "OwnershipControls", value)
    client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)


def _set_acl(context: Context, bucket: str, value: Any) -> None:
    # `LogDeliveryWrite` in a template is `log-delivery-write` in the API.
    name = "".join(f"-{c.lower()}" if c.isupper() else c for c in value or "Private").strip("-")
    try:
        context.client("s3").put_bucket_acl(Bucket=bucket, ACL=name)
    except ClientError as error:
        # With BucketOwnerEnforced a bucket has no ACLs: it is private already.
        if name != "private" or error.response["Error"]["Code"] != "AccessControlListNotSupported":
            raise


def _tag(bucket: str, value: Any) -> None:
    # Not by the API, which rejects the tags `aws:cloudformation:*` that CloudFormation sets itself.
    s3._bucket_tags[bucket] = {str(tag["Key"]): str(tag["Value"]) for tag in value or []}


def _argument(operation: str, member: str, value: Any) -> Any:
    shape = service_model("s3").operation_model(operation).input_shape
    if shape is None:
        raise ValueError(f"s3:{operation} takes no input")
    return convert(shape.members[member], value, f"{member}.")


def _delete_bucket(context: Context) -> Any:
    def delete(physical_id: str, _props: Mapping[str, Any]) -> None:
        try:
            context.client("s3").delete_bucket(Bucket=physical_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise

    return delete
