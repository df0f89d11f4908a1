"""ECR refuses wrong calls with AWS's codes and words."""

import json
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from local_aws.services.ecr.service import Ecr
from unit_tests.local_aws.services.ecr.registry_server import make_ecr


@pytest.fixture
def ecr(tmp_path: Path) -> Ecr:
    found = make_ecr(tmp_path / "state")
    found.call("CreateRepository", {"repositoryName": "images-dev", "imageTagMutability": "IMMUTABLE"})
    return found


@pytest.mark.parametrize(
    ("image_id", "code"),
    [
        ({"imageDigest": "zz"}, "InvalidImageDigest"),
        ({}, "MissingDigestAndTag"),
        ({"imageTag": "gone"}, "ImageNotFound"),
        ({"imageDigest": f"sha256:{'0' * 64}"}, "ImageNotFound"),
    ],
)
def test_a_failure_has_a_code_for_its_cause(ecr: Ecr, image_id: dict[str, str], code: str) -> None:
    for operation in ("BatchDeleteImage", "BatchGetImage"):
        answer = ecr.call(operation, {"repositoryName": "images-dev", "imageIds": [image_id]})
        assert [failure["failureCode"] for failure in answer["failures"]] == [code]


MANY = [{"Key": str(number), "Value": "v"} for number in range(51)]
PRINCIPAL = {"AWS": "arn:aws:iam::123456789012:root"}
PULL = {"Effect": "Allow", "Principal": PRINCIPAL, "Action": "ecr:BatchGetImage"}


def repository_policy(**changes: Any) -> str:
    statement = {name: value for name, value in {**PULL, **changes}.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    ("operation", "params", "code", "message"),
    [
        ("ListTagsForResource", {"resourceArn": "zz"}, "InvalidParameterException", "'Invalid ARN'"),
        ("CreateRepository", {"repositoryName": "r2", "tags": MANY}, "TooManyTagsException", "50"),
        *(
            (
                "SetRepositoryPolicy",
                {"repositoryName": "images-dev", "policyText": text},
                "InvalidParameterException",
                "Invalid parameter at 'PolicyText' failed to satisfy constraint: "
                "'Invalid repository policy provided'",
            )
            for text in (
                *("zz", "[]", "{}", repository_policy(Principal=None), repository_policy(Effect="allow")),
                *(repository_policy(Action=None), repository_policy(Action="BatchGetImage")),
            )
        ),
        (
            "PutImageTagMutability",
            {"repositoryName": "images-dev", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"},
            "InvalidParameterException",
            "filters must be specified",
        ),
    ],
)
def test_a_wrong_call_is_refused(
    ecr: Ecr, operation: str, params: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(AwsError) as refused:
        ecr.call(operation, params)
    assert refused.value.code == code
    assert message in refused.value.message


def test_a_repository_policy_is_accepted(ecr: Ecr) -> None:
    ecr.call("SetRepositoryPolicy", {"repositoryName": "images-dev", "policyText": repository_policy()})
    assert ecr.repository("images-dev").policy == repository_policy()
