"""The errors that ECR raises, in AWS's words."""

from collections.abc import Mapping

from local_aws.core.api import AwsError


def repository_not_found(name: str, account: str) -> AwsError:
    """Return RepositoryNotFoundException."""
    return AwsError(
        "RepositoryNotFoundException",
        f"The repository with name '{name}' does not exist in the registry with id '{account}'",
    )


def repository_exists(name: str, account: str) -> AwsError:
    """Return RepositoryAlreadyExistsException."""
    return AwsError(
        "RepositoryAlreadyExistsException",
        f"The repository with name '{name}' already exists in the registry with id '{account}'",
    )


def repository_not_empty(name: str, account: str) -> AwsError:
    """Return RepositoryNotEmptyException."""
    return AwsError(
        "RepositoryNotEmptyException",
        f"The repository with name '{name}' in registry with id '{account}' cannot be deleted because it "
        "still contains images",
    )


def lifecycle_policy_not_found(name: str, account: str) -> AwsError:
    """Return LifecyclePolicyNotFoundException."""
    return AwsError(
        "LifecyclePolicyNotFoundException",
        f"Lifecycle policy does not exist for the repository with name '{name}' in the registry with id "
        f"'{account}'",
    )


def repository_policy_not_found(name: str, account: str) -> AwsError:
    """Return RepositoryPolicyNotFoundException."""
    return AwsError(
        "RepositoryPolicyNotFoundException",
        f"Repository policy does not exist for the repository with name '{name}' in the registry with id "
        f"'{account}'",
    )


def image_not_found(image_id: Mapping[str, str], name: str, account: str) -> AwsError:
    """Return ImageNotFoundException."""
    digest, tag = image_id.get("imageDigest", "null"), image_id.get("imageTag", "null")
    return AwsError(
        "ImageNotFoundException",
        f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the "
        f"repository with name '{name}' in the registry with id '{account}'",
    )
