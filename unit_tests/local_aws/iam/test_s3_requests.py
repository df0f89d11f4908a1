"""The permissions of a request to S3."""

from __future__ import annotations

import pytest

from unit_tests.local_aws.iam.test_requests import KEY, http, of, pairs


@pytest.mark.parametrize(
    ("method", "path", "query", "action", "resource"),
    [
        ("GET", "/b/k/x", "", "s3:GetObject", "arn:aws:s3:::b/k/x"),
        ("HEAD", "/b/k", "", "s3:GetObject", "arn:aws:s3:::b/k"),
        ("GET", "/b/k", "versionId=1", "s3:GetObjectVersion", "arn:aws:s3:::b/k"),
        ("PUT", "/b/k", "", "s3:PutObject", "arn:aws:s3:::b/k"),
        ("PUT", "/b/k", "partNumber=1&uploadId=2", "s3:PutObject", "arn:aws:s3:::b/k"),
        ("POST", "/b/k", "uploads", "s3:PutObject", "arn:aws:s3:::b/k"),
        ("DELETE", "/b/k", "uploadId=2", "s3:AbortMultipartUpload", "arn:aws:s3:::b/k"),
        ("DELETE", "/b/k", "", "s3:DeleteObject", "arn:aws:s3:::b/k"),
        ("DELETE", "/b/k", "versionId=2", "s3:DeleteObjectVersion", "arn:aws:s3:::b/k"),
        ("POST", "/b", "delete", "s3:DeleteObject", "arn:aws:s3:::b/*"),
        ("GET", "/b", "list-type=2", "s3:ListBucket", "arn:aws:s3:::b"),
        ("GET", "/b", "versions", "s3:ListBucketVersions", "arn:aws:s3:::b"),
        ("GET", "/b", "location", "s3:GetBucketLocation", "arn:aws:s3:::b"),
        ("PUT", "/b", "encryption", "s3:PutEncryptionConfiguration", "arn:aws:s3:::b"),
        ("GET", "/", "", "s3:ListAllMyBuckets", "*"),
    ],
)
def test_method_and_query_determine_the_action_of_an_s3_request(
    method: str, path: str, query: str, action: str, resource: str
) -> None:
    assert pairs(of("s3", http(method, path, query))) == [(action, resource)]


def test_a_copy_reads_its_source_too() -> None:
    found = of("s3", http("PUT", "/b/k", x_amz_copy_source="/from/key"))
    assert pairs(found) == [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:GetObject", "arn:aws:s3:::from/key")]


def test_an_encrypted_object_needs_its_key() -> None:
    written = of("s3", http("PUT", "/secret/k"))
    assert pairs(written) == [("s3:PutObject", "arn:aws:s3:::secret/k"), ("kms:GenerateDataKey", KEY)]
    assert written[1].values["kms:viaservice"] == "s3.us-east-1.amazonaws.com"
    assert pairs(of("s3", http("GET", "/secret/k")))[1:] == [("kms:Decrypt", KEY)]
    assert [one.action for one in of("s3", http("POST", "/secret/k", "uploads"))[1:]] == [
        "kms:GenerateDataKey",
        "kms:Decrypt",
    ]


def test_a_bucket_policy_sees_how_an_object_is_encrypted() -> None:
    written = of("s3", http("PUT", "/bucket/key", x_amz_server_side_encryption="aws:kms"))[0]
    assert (written.action, written.values) == (
        "s3:PutObject",
        {"s3:x-amz-server-side-encryption": "aws:kms"},
    )
    assert of("s3", http("PUT", "/bucket/key"))[0].values == {}
