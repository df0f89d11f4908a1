"""Wrong calls of ECR, private and public."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

INVALID = "InvalidParameterException"
ARN = "arn:aws:ecr:us-east-1:123456789012:repository"
REPOSITORY = {"repositoryName": "images"}
NOBODY = f"sha256:{'0' * 64}"
BLOB = b"{}"
DIGEST = f"sha256:{hashlib.sha256(BLOB).hexdigest()}"
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
UPLOAD = {**REPOSITORY, "uploadId": "$upload"}
TAGS = [{"Key": "k", "Value": "v"}]
RULE = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
    "action": {"type": "expire"},
}
PULL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
}


def manifest(digest: str = DIGEST) -> str:
    """Return the manifest of an image without layers."""
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, "digest": digest}
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": []})


def prepare(account: Account) -> Mapping[str, Any]:
    """Create an immutable repository with an image, and begin an upload."""
    client = account.client("ecr")
    client.create_repository(**REPOSITORY, imageTagMutability="IMMUTABLE")
    client.create_repository(repositoryName="empty")
    first = client.initiate_layer_upload(**REPOSITORY)["uploadId"]
    part = {"partFirstByte": 0, "partLastByte": len(BLOB) - 1, "layerPartBlob": BLOB}
    client.upload_layer_part(**REPOSITORY, uploadId=first, **part)
    client.complete_layer_upload(**REPOSITORY, uploadId=first, layerDigests=[DIGEST])
    client.put_image(**REPOSITORY, imageManifest=manifest(), imageTag="one")
    client.put_image(**REPOSITORY, imageManifest=manifest() + "\n", imageTag="scanned")
    client.start_image_scan(**REPOSITORY, imageId={"imageTag": "scanned"})
    kms = account.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    client.create_repository(
        repositoryName="sealed", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key}
    )
    kms.disable_key(KeyId=key)
    upload = client.initiate_layer_upload(**REPOSITORY)["uploadId"]
    empty = client.initiate_layer_upload(**REPOSITORY)["uploadId"]
    client.upload_layer_part(**REPOSITORY, uploadId=upload, **part)
    small = client.initiate_layer_upload(**REPOSITORY)["uploadId"]
    for number in range(2):
        place = {"partFirstByte": number, "partLastByte": number}
        client.upload_layer_part(**REPOSITORY, uploadId=small, **place, layerPartBlob=b"x")
    return {"upload": upload, "empty": empty, "small": small}


IMAGE = {"imageTag": "one"}
VALID: Mapping[str, Mapping[str, Any]] = {
    "BatchCheckLayerAvailability": {**REPOSITORY, "layerDigests": [DIGEST]},
    "BatchDeleteImage": {**REPOSITORY, "imageIds": [IMAGE]},
    "BatchGetImage": {**REPOSITORY, "imageIds": [IMAGE]},
    "CompleteLayerUpload": {**UPLOAD, "layerDigests": [DIGEST]},
    "CreateRepository": {"repositoryName": "new"},
    "DeleteLifecyclePolicy": REPOSITORY,
    "DeleteRepository": REPOSITORY,
    "DeleteRepositoryPolicy": REPOSITORY,
    "DescribeImageScanFindings": {**REPOSITORY, "imageId": IMAGE},
    "DescribeImages": {**REPOSITORY, "imageIds": [IMAGE]},
    "DescribeRepositories": {"repositoryNames": ["images"]},
    "GetAuthorizationToken": {},
    "GetDownloadUrlForLayer": {**REPOSITORY, "layerDigest": DIGEST},
    "GetLifecyclePolicy": REPOSITORY,
    "GetRepositoryPolicy": REPOSITORY,
    "InitiateLayerUpload": REPOSITORY,
    "ListImages": REPOSITORY,
    "ListTagsForResource": {"resourceArn": f"{ARN}/images"},
    "PutImage": {**REPOSITORY, "imageManifest": manifest(), "imageTag": "two"},
    "PutImageScanningConfiguration": {**REPOSITORY, "imageScanningConfiguration": {"scanOnPush": True}},
    "PutImageTagMutability": {**REPOSITORY, "imageTagMutability": "MUTABLE"},
    "PutLifecyclePolicy": {**REPOSITORY, "lifecyclePolicyText": json.dumps({"rules": [RULE]})},
    "SetRepositoryPolicy": {**REPOSITORY, "policyText": json.dumps(PULL)},
    "StartImageScan": {**REPOSITORY, "imageId": IMAGE},
    "TagResource": {"resourceArn": f"{ARN}/images", "tags": TAGS},
    "UntagResource": {"resourceArn": f"{ARN}/images", "tagKeys": ["k"]},
    "UploadLayerPart": {**UPLOAD, "partFirstByte": 2, "partLastByte": 2, "layerPartBlob": b"x"},
}
WRONG = (
    Wrong("repositoryName", "BAD", INVALID),
    Wrong("repositoryName", "nope", "RepositoryNotFoundException"),
    Wrong("repositoryName", "images", "RepositoryAlreadyExistsException"),
    Wrong("repositoryName", "images", "RepositoryNotEmptyException"),
    Wrong("repositoryName", "images", "LifecyclePolicyNotFoundException"),
    Wrong("repositoryName", "images", "RepositoryPolicyNotFoundException"),
    Wrong("repositoryName", "sealed", "KmsException", ("CreateRepository",)),
    Wrong(
        "encryptionConfiguration",
        {"encryptionType": "KMS", "kmsKey": "00000000-0000-0000-0000-000000000000"},
        "KmsException",
    ),
    Wrong("repositoryNames", ["BAD"], INVALID),
    Wrong("repositoryNames", ["nope"], "RepositoryNotFoundException"),
    Wrong("registryIds", ["zz"], INVALID),
    Wrong("resourceArn", "zz", INVALID),
    Wrong("resourceArn", f"{ARN}/nope", "RepositoryNotFoundException"),
    Wrong("tags", [{"Key": f"k{number}", "Value": "v"} for number in range(51)], "TooManyTagsException"),
    Wrong("tags", [{"Key": "aws:k", "Value": "v"}], "InvalidTagParameterException"),
    Wrong("tagKeys", [f"k{number}" for number in range(51)], "TooManyTagsException"),
    Wrong("tagKeys", ["aws:k"], "InvalidTagParameterException"),
    Wrong("imageId", {"imageTag": "nope"}, "ImageNotFoundException"),
    Wrong("imageIds", [{"imageTag": "nope"}], "ImageNotFoundException"),
    Wrong("uploadId", "00000000-0000-0000-0000-000000000000", "UploadNotFoundException"),
    Wrong("layerDigest", NOBODY, "LayersNotFoundException"),
    Wrong("partFirstByte", 1, "InvalidLayerPartException"),
    Wrong("imageDigest", NOBODY, "ImageDigestDoesNotMatchException"),
    Wrong("imageManifest", manifest(NOBODY), "LayersNotFoundException"),
    Wrong("imageTag", "one", "ImageAlreadyExistsException"),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("CompleteLayerUpload", {}, "LayerAlreadyExistsException"),
    ("CompleteLayerUpload", {"layerDigests": [NOBODY]}, "InvalidLayerException"),
    ("CompleteLayerUpload", {"uploadId": "$empty"}, "EmptyUploadException"),
    ("CompleteLayerUpload", {"uploadId": "$small"}, "LayerPartTooSmallException"),
    (
        "PutImage",
        {"imageManifest": manifest() + " ", "imageTag": "one"},
        "ImageTagAlreadyExistsException",
    ),
    ("StartImageScan", {"imageId": {"imageTag": "scanned"}}, "LimitExceededException"),
    ("DescribeImageScanFindings", {}, "ScanNotFoundException"),
)
SUITE = Suite("ecr", tuple(VALID), VALID, WRONG, CHANGES, prepare)
PUBLIC = Suite("ecr-public", ("GetAuthorizationToken",), {"GetAuthorizationToken": {}})
