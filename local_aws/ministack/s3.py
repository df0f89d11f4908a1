"""S3 as CloudFormation needs it: every bucket property kept, no bucket deleted with something in it."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import service_model
from local_aws.core.cloudformation import convert
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.property_setters import complete

s3 = require("services.s3", "_resolve_sse_write_headers", "_bucket_tags", "_buckets")
kms = require("services.kms", "_alias_arn", "_aliases", "_create_key", "_resolve_key")

ALGORITHM = "x-amz-server-side-encryption"
KEY_ID = "x-amz-server-side-encryption-aws-kms-key-id"
MANAGED_KEY = "alias/aws/s3"
# A rule's properties whose API has another shape; the others have the API's own names.
EXPIRY = {"ExpirationInDays": "Days", "ExpirationDate": "Date", "ExpiredObjectDeleteMarker": None}


def install(context: Context) -> None:
    """Complete the bucket type, make its delete strict, and give SSE-KMS without a key AWS's managed key."""
    provisioners = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["delete"] = _deleter(context)
    complete(
        "AWS::S3::Bucket",
        {
            "BucketEncryption": lambda bucket, value: _encrypt(context, bucket, value),
            "LifecycleConfiguration": lambda bucket, value: _set_lifecycle(context, bucket, value),
            "OwnershipControls": lambda bucket, value: _set_ownership(context, bucket, value),
            "AccessControl": lambda bucket, value: _set_acl(context, bucket, value),
            "Tags": _tag,
        },
    )
    original = s3._resolve_sse_write_headers

    def resolve(headers: Mapping[str, str], bucket: str) -> Any:
        if headers.get(ALGORITHM) == "aws:kms" and not headers.get(KEY_ID):
            headers = {**headers, KEY_ID: managed_key()}
        return original(headers, bucket)

    s3._resolve_sse_write_headers = resolve


def managed_key() -> str:
    """Return the ARN of the account's `aws/s3` key, made at its first use as AWS does."""
    found = kms._resolve_key(MANAGED_KEY)
    if found is None:
        made = kms._create_key({"Description": "Default key that protects my S3 objects"})
        key_id = json.loads(made[2])["KeyMetadata"]["KeyId"]
        kms._aliases[kms._alias_arn(MANAGED_KEY)] = key_id
        found = kms._resolve_key(key_id)
    return str(found["Arn"])


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
        # A bucket whose owner is enforced has no ACLs: it is private already.
        if name != "private" or error.response["Error"]["Code"] != "AccessControlListNotSupported":
            raise


def _tag(bucket: str, value: Any) -> None:
    # Not through the API: it refuses the `aws:cloudformation:` tags, which AWS sets by itself.
    s3._bucket_tags[bucket] = {str(tag["Key"]): str(tag["Value"]) for tag in value or []}


def _argument(operation: str, member: str, value: Any) -> Any:
    shape = service_model("s3").operation_model(operation).input_shape
    if shape is None:
        raise ValueError(f"s3:{operation} takes no input")
    return convert(shape.members[member], value, f"{member}.")


def _deleter(context: Context) -> Any:
    def delete(physical_id: str, _props: Mapping[str, Any]) -> None:
        try:
            context.client("s3").delete_bucket(Bucket=physical_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise

    return delete
