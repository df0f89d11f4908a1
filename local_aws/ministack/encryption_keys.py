"""Reads from MiniStack which KMS keys exist, and which key encrypts a resource."""

from local_aws.ministack.account_scope import account_of, bucket_owner, scope
from local_aws.ministack.compat import require

kms = require("services.kms", "_aliases", "_resolve_key")
s3 = require("services.s3", "_bucket_default_sse_headers", "_buckets")
sqs = require("services.sqs", "_queues")
sns = require("services.sns", "_topics")
ssm = require("services.ssm", "_parameters")

KMS_KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def key_arn(key: str) -> str:
    """Return the ARN of a KMS key from its id, ARN or alias; the argument itself if there is no such key."""
    with scope(account_of(key)):
        found = kms._resolve_key(key)
    return str(found["Arn"]) if found else key


def is_managed_key(arn: str) -> bool:
    """Return whether a key is an AWS managed key, as `alias/aws/s3`."""
    key = arn.rpartition("/")[2]
    with scope(account_of(arn)):
        return any(target == key and ":alias/aws/" in alias for alias, target in list(kms._aliases.items()))


def bucket_key(bucket: str) -> str:
    """Return the KMS key of a bucket's default encryption, or an empty string."""
    with scope(bucket_owner(bucket)):
        return str(s3._bucket_default_sse_headers(bucket).get(KMS_KEY, ""))


def object_key(bucket: str, key: str) -> str:
    """Return the KMS key of an object, or an empty string."""
    with scope(bucket_owner(bucket)):
        found = (s3._buckets.get(bucket) or {}).get("objects", {}).get(key) or {}
    return str(found.get("preserved_headers", {}).get(KMS_KEY, ""))


def topic_key(arn: str) -> str:
    """Return the KMS key of a topic, or an empty string."""
    with scope(account_of(arn)):
        topic = sns._topics.get(arn) or {}
    return str(topic.get("attributes", {}).get("KmsMasterKeyId", ""))


def queue_key(url: str) -> str:
    """Return the KMS key of a queue, or an empty string."""
    owner = url.rpartition("/")[0].rpartition("/")[2]
    with scope(owner):
        queue = sqs._queues.get(url) or {}
    return str(queue.get("attributes", {}).get("KmsMasterKeyId", ""))


def parameter_key(name: str) -> str:
    """Return the KMS key of a SecureString, or an empty string."""
    return str((ssm._parameters.get(name) or {}).get("KeyId", ""))
