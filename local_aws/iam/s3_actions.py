"""S3's actions: most are not named like their operation, and some depend on the request's parameters.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from local_aws.iam.request_parser import Call

ACTIONS = {
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "CopyObject": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "DeleteObjects": "DeleteObject",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
}
VERSIONED = frozenset(
    {
        "GetObject",
        "DeleteObject",
        "GetObjectAcl",
        "GetObjectTagging",
        "PutObjectTagging",
        "DeleteObjectTagging",
    }
)


def action_of(call: Call) -> str:
    """Return the action of an S3 operation; one on an object version has its own."""
    name = ACTIONS.get(call.operation, call.operation)
    if call.params.get("versionId") and name in VERSIONED:
        name = name.replace("Object", "ObjectVersion")
    return f"s3:{name}"


def resource_of(call: Call) -> str:
    """Return the ARN of the object or the bucket of an operation."""
    bucket, key = call.params.get("Bucket"), call.params.get("Key")
    if not bucket:
        return "*"
    if call.operation == "DeleteObjects":
        return f"arn:aws:s3:::{bucket}/*"
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
