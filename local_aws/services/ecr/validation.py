"""What ECR checks in requests, besides botocore's model."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from local_aws.core.context import Context
from local_aws.core.encryption import ENABLED, find_key
from local_aws.core.policy_grammar import is_resource_policy, statements
from local_aws.core.policy_principals import has_principals
from local_aws.services.ecr import errors

EXCLUSION = "imageTagMutabilityExclusionFilters"
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html#tag-restrictions
MOST_TAGS = 50
MOST_WILDCARDS = 2
_ARN = re.compile(r"arn:aws[\w-]*:ecr:[a-z0-9-]+:\d{12}:repository/.+")


def check_arn(arn: str) -> None:
    """Refuse what is not the ARN of a repository, in the words that moto's test has from AWS.

    https://github.com/getmoto/moto/blob/master/tests/test_ecr/test_ecr_boto3.py
    """
    if not _ARN.fullmatch(arn):
        raise errors.invalid_parameter("resourceArn", "Invalid ARN")


def check_tags(given: Sequence[Mapping[str, str]], existing: Collection[str] = ()) -> None:
    """Refuse more tags than a repository can have."""
    if len({*existing, *(tag["Key"] for tag in given)}) > MOST_TAGS:
        raise errors.too_many_tags()


def check_key(context: Context, encryption: Mapping[str, str]) -> None:
    """Refuse a KMS key that does not exist or cannot be used; without one, ECR has a managed key of its own.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_EncryptionConfiguration.html
    """
    key = encryption.get("kmsKey")
    if key is None or key.endswith("alias/aws/ecr"):
        return
    if not encryption["encryptionType"].startswith("KMS"):
        raise errors.invalid_parameter("kmsKey", "a KMS key needs the encryption type KMS")
    state = find_key(context.client("kms"), key).state
    if state != ENABLED:
        raise errors.kms_error(key, state)


def check_policy(text: str) -> None:
    """Refuse a text that is no policy of a repository: each statement has a principal and actions of ECR's.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html.
    The repository is the resource, and may not be named: aws-cdk-lib/aws-ecr warns of it.
    """
    if not is_resource_policy(text) or not all(map(_is_statement, statements(text))):
        raise errors.invalid_repository_policy()


def _is_statement(statement: Mapping[str, Any]) -> bool:
    given = statement.get("Action", statement.get("NotAction"))
    actions = given if isinstance(given, list) else [given]
    return (
        all(str(each) == "*" or str(each).lower().startswith("ecr:") for each in actions)
        and not {"Resource", "NotResource"} & statement.keys()
        and has_principals(statement)
    )


def check_mutability(params: Mapping[str, Any]) -> None:
    """Refuse filters without a setting that excludes tags, such a setting without filters, and bad filters.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html
    """
    filters = params.get(EXCLUSION, [])
    if str(params.get("imageTagMutability", "")).endswith("_WITH_EXCLUSION") != bool(filters):
        raise errors.invalid_parameter(
            EXCLUSION, "filters must be specified with a WITH_EXCLUSION setting, and only with it"
        )
    if any(each["filter"].count("*") > MOST_WILDCARDS for each in filters):
        raise errors.invalid_parameter(EXCLUSION, f"a filter has at most {MOST_WILDCARDS} wildcards")
