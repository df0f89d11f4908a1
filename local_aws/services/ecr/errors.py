"""The errors that ECR raises, in AWS's words."""

from collections.abc import Mapping

from local_aws.core.api import AwsError


def invalid_parameter(member: str, reason: str) -> AwsError:
    """Return InvalidParameterException."""
    return AwsError(
        "InvalidParameterException",
        f"Invalid parameter at '{member}' failed to satisfy constraint: '{reason}'",
    )


def invalid_repository_policy() -> AwsError:
    """Return the error for a malformed repository policy.

    https://github.com/getmoto/moto/blob/master/moto/ecr/models.py
    """
    return invalid_parameter("PolicyText", "Invalid repository policy provided")


def too_many_tags() -> AwsError:
    """Return TooManyTagsException."""
    return AwsError("TooManyTagsException", "The number of tags exceeds the limit of 50 for a repository.")


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


def image_exists(digest: str, tag: str | None, name: str, account: str) -> AwsError:
    """Return ImageAlreadyExistsException."""
    return AwsError(
        "ImageAlreadyExistsException",
        f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}' "
        f"in registry with id '{account}'",
    )


def tag_exists(tag: str, name: str) -> AwsError:
    """Return ImageTagAlreadyExistsException."""
    return AwsError(
        "ImageTagAlreadyExistsException",
        f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because "
        "the repository is immutable.",
    )


def layers_not_found(digests: list[str], name: str, account: str) -> AwsError:
    """Return LayersNotFoundException."""
    return AwsError(
        "LayersNotFoundException",
        f"Layers with digests '[{', '.join(digests)}]' required for pushing image into repository with name "
        f"'{name}' in the registry with id '{account}' do not exist",
    )


def referenced_images_not_found(digests: list[str], name: str, account: str) -> AwsError:
    """Return ReferencedImagesNotFoundException, for an index.

    https://github.com/int128/docker-manifest-create-action/pull/63
    """
    return AwsError(
        "ReferencedImagesNotFoundException",
        f"Images with digests '[{', '.join(digests)}]' required for pushing image into repository with name "
        f"'{name}' in the registry with id '{account}' do not exist",
    )


def unsupported_image_type(digest: str, name: str, account: str) -> AwsError:
    """Return UnsupportedImageTypeException, for a scan of an index."""
    return AwsError(
        "UnsupportedImageTypeException",
        f"The image with digest '{digest}' in the repository with name '{name}' in the registry with id "
        f"'{account}' cannot be scanned: it is a list of manifests",
    )


def layer_exists(digest: str, name: str, account: str) -> AwsError:
    """Return LayerAlreadyExistsException."""
    return AwsError(
        "LayerAlreadyExistsException",
        f"Layer with digest '{digest}' already exists in the repository with name '{name}' in the registry "
        f"with id '{account}'",
    )


def upload_not_found(upload: str, name: str, account: str) -> AwsError:
    """Return UploadNotFoundException."""
    return AwsError(
        "UploadNotFoundException",
        f"The upload with id '{upload}' in the repository with name '{name}' in the registry with id "
        f"'{account}' does not exist",
    )


def scan_not_found(digest: str, name: str, account: str) -> AwsError:
    """Return ScanNotFoundException."""
    return AwsError(
        "ScanNotFoundException",
        f"Image scan does not exist for the image with '{{imageDigest:'{digest}', imageTag:'null'}}' in the "
        f"repository with name '{name}' in the registry with id '{account}'",
    )


def scan_limit_exceeded() -> AwsError:
    """Return LimitExceededException."""
    return AwsError(
        "LimitExceededException",
        "The scan quota per image has been exceeded. Wait and try again.",
    )


def kms_error(key: str, state: str) -> AwsError:
    """Return the error for a repository's KMS key that is not there, or not enabled."""
    return AwsError("KmsException", f"The operation failed due to a KMS exception: the key {key} is {state}.")
