"""Wrong calls of S3.

The model of S3 declares few codes; those of `DOCUMENTED` are on its page of error responses:
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
"""

from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account, policy
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

BUCKET = {"Bucket": "bucket"}
OBJECT = {**BUCKET, "Key": "key"}
UPLOAD = {**OBJECT, "UploadId": "$upload"}
TAGS = {"TagSet": [{"Key": "k", "Value": "v"}]}
READ = policy(
    {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
)
ELSEWHERE = READ.replace(":::bucket/", ":::other/")
ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}


def prepare(account: Account) -> Mapping[str, Any]:
    """Create a bucket with an object, and begin an upload."""
    client = account.client("s3")
    client.create_bucket(**BUCKET)
    client.put_object(**OBJECT, Body=b"x")
    account.of_another("s3").create_bucket(Bucket="of-another")
    return {"upload": client.create_multipart_upload(**OBJECT)["UploadId"]}


VALID: Mapping[str, Mapping[str, Any]] = {
    "AbortMultipartUpload": UPLOAD,
    "CompleteMultipartUpload": {**UPLOAD, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "x"}]}},
    "CopyObject": {**BUCKET, "Key": "new", "CopySource": "bucket/key"},
    "CreateBucket": {"Bucket": "new-bucket"},
    "CreateMultipartUpload": OBJECT,
    "DeleteBucket": BUCKET,
    "DeleteBucketPolicy": BUCKET,
    "DeleteObject": OBJECT,
    "DeleteObjects": {**BUCKET, "Delete": {"Objects": [{"Key": "key"}]}},
    "GetBucketEncryption": BUCKET,
    "GetBucketLifecycleConfiguration": BUCKET,
    "GetBucketLocation": BUCKET,
    "GetBucketPolicy": BUCKET,
    "GetBucketTagging": BUCKET,
    "GetBucketVersioning": BUCKET,
    "GetObject": OBJECT,
    "GetPublicAccessBlock": BUCKET,
    "ListObjectsV2": BUCKET,
    "ListObjectVersions": BUCKET,
    "PutBucketEncryption": {**BUCKET, "ServerSideEncryptionConfiguration": ENCRYPTION},
    "PutBucketPolicy": {**BUCKET, "Policy": READ},
    "PutBucketTagging": {**BUCKET, "Tagging": TAGS},
    "PutBucketVersioning": {**BUCKET, "VersioningConfiguration": {"Status": "Enabled"}},
    "PutObject": {**OBJECT, "Body": b"x"},
    "UploadPart": {**UPLOAD, "PartNumber": 1, "Body": b"x"},
}
WRONG = (
    Wrong("Bucket", "no-such-bucket", "NoSuchBucket", ("CreateBucket", "PutBucketPolicy")),
    Wrong("UploadId", "nope", "NoSuchUpload"),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("CreateBucket", {"Bucket": "of-another"}, "BucketAlreadyExists"),
    ("CreateBucket", {"Bucket": "Bad_Name"}, "InvalidBucketName"),
    ("CreateBucket", {"Bucket": "b"}, "InvalidBucketName"),
    ("DeleteBucket", {}, "BucketNotEmpty"),
    ("GetObject", {"Key": "nope"}, "NoSuchKey"),
    ("GetObject", {"Range": "bytes=9-"}, "InvalidRange"),
    ("GetObject", {"IfMatch": '"nope"'}, "PreconditionFailed"),
    ("CopyObject", {"CopySource": "bucket/nope"}, "NoSuchKey"),
    ("GetBucketPolicy", {}, "NoSuchBucketPolicy"),
    ("GetBucketTagging", {}, "NoSuchTagSet"),
    ("GetBucketLifecycleConfiguration", {}, "NoSuchLifecycleConfiguration"),
    ("PutBucketPolicy", {"Policy": "zz"}, "MalformedPolicy"),
    ("PutBucketPolicy", {"Policy": ELSEWHERE}, "MalformedPolicy"),
    ("PutBucketTagging", {"Tagging": {"TagSet": [{"Key": "aws:k", "Value": "v"}]}}, "InvalidTag"),
    ("PutBucketTagging", {"Tagging": {"TagSet": TAGS["TagSet"] * 2}}, "InvalidTag"),
    ("PutBucketVersioning", {"VersioningConfiguration": {"Status": "Maybe"}}, "MalformedXML"),
    ("PutObject", {"Key": "k" * 1025}, "KeyTooLongError"),
    ("PutObject", {"ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, "BadDigest"),
    ("PutObject", {"ContentMD5": "zz"}, "InvalidDigest"),
    ("PutObject", {"StorageClass": "NOPE"}, "InvalidStorageClass"),
    ("PutObject", {"IfNoneMatch": "*"}, "PreconditionFailed"),
    ("UploadPart", {"PartNumber": 10001}, "InvalidArgument"),
    ("CompleteMultipartUpload", {}, "InvalidPart"),
    ("DeleteObjects", {"Delete": {"Objects": []}}, "MalformedXML"),
)
DOCUMENTED = frozenset({code for _, _, code in CHANGES} | {"NoSuchBucket", "NoSuchUpload"})
SUITE = Suite("s3", tuple(VALID), VALID, WRONG, CHANGES, prepare, documented=DOCUMENTED)
