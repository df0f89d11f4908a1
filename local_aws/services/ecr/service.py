"""Elastic Container Registry: repositories and images by AWS's API, over the registry that holds their bytes.

MiniStack's own serves manifests of a deleted repository, takes manifests whose layers it lacks, asks for no
login and forgets failures of `describe-images`; so this one stands in its place, registry included.
"""

import base64
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from local_aws.core.api import CALLER, AwsError, JsonService, now
from local_aws.core.cloudformation import ResourceType
from local_aws.core.context import Context
from local_aws.services.ecr.records import Images, Repository
from local_aws.services.ecr.registry import Login, RegistryApi
from local_aws.services.ecr.resource_types import EcrTypes

TOKEN_SECONDS = 12 * 3600


class Ecr(JsonService):
    """The private registry of one account and region."""

    service = "ecr"
    persisted = ("repositories",)

    def __init__(self, context: Context, tokens: dict[str, Login] | None = None) -> None:
        super().__init__(context)
        self.repositories: dict[str, Repository] = {}
        self.images = Images(context.state / "ecr")
        self.tokens = {} if tokens is None else tokens
        self.registry = RegistryApi(self)

    # Logins

    def get_authorization_token(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Make a password for `docker login`, good for twelve hours."""
        token = secrets.token_urlsafe(48)
        login = self.tokens[token] = Login(CALLER.get(), time.time() + TOKEN_SECONDS)
        host = f"{self.context.account}.dkr.ecr.{self.context.region}.amazonaws.com"
        data = {
            "authorizationToken": base64.b64encode(f"AWS:{token}".encode()).decode(),
            "expiresAt": now().fromtimestamp(login.expires, now().tzinfo),
            "proxyEndpoint": f"https://{host}",
        }
        return {"authorizationData": [data]}

    def login(self, token: str) -> Login | None:
        """Return what a password was given out for, None when it was not or has expired."""
        found = self.tokens.get(token)
        return found if found is not None and found.expires > time.time() else None

    def policy_of(self, arn: str) -> str | None:
        """Return the policy of a repository by its ARN."""
        found = self.repositories.get(arn.partition(":repository/")[2])
        return found.policy if found is not None else None

    # Repositories

    def repository(self, name: str) -> Repository:
        """Return a repository; raises RepositoryNotFoundException."""
        if name not in self.repositories:
            raise AwsError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id "
                f"'{self.context.account}'",
            )
        return self.repositories[name]

    def create_repository(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Create an empty repository."""
        name = params["repositoryName"]
        if name in self.repositories:
            raise AwsError(
                "RepositoryAlreadyExistsException",
                f"The repository with name '{name}' already exists in the registry with id "
                f"'{self.context.account}'",
            )
        description = {
            "repositoryArn": self.context.arn("ecr", f"repository/{name}"),
            "registryId": self.context.account,
            "repositoryName": name,
            "repositoryUri": f"{self.context.account}.dkr.ecr.{self.context.region}.amazonaws.com/{name}",
            "createdAt": now(),
            "imageTagMutability": params.get("imageTagMutability", "MUTABLE"),
            "imageScanningConfiguration": {
                "scanOnPush": False,
                **params.get("imageScanningConfiguration", {}),
            },
            "encryptionConfiguration": params.get("encryptionConfiguration", {"encryptionType": "AES256"}),
        }
        tags = {tag["Key"]: tag["Value"] for tag in params.get("tags", [])}
        self.repositories[name] = Repository(description, tags)
        return {"repository": description}

    def describe_repositories(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Describe all repositories, or those that are named."""
        names = params.get("repositoryNames") or sorted(self.repositories)
        return {"repositories": [self.repository(name).description for name in names]}

    def delete_repository(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Delete a repository; one with images only with `force`."""
        name = params["repositoryName"]
        repository = self.repository(name)
        if repository.images and not params.get("force"):
            raise AwsError(
                "RepositoryNotEmptyException",
                f"The repository with name '{name}' in registry with id '{self.context.account}' cannot be "
                "deleted because it still contains images",
            )
        del self.repositories[name]
        self.images.forget(name)
        return {"repository": repository.description}

    def put_image_tag_mutability(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Set whether tags can move."""
        return self._set(params, "imageTagMutability")

    def put_image_scanning_configuration(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Set whether images are scanned on push (no scan is done here, and none is reported)."""
        return self._set(params, "imageScanningConfiguration")

    def _set(self, params: Mapping[str, Any], key: str) -> dict[str, Any]:
        self.repository(params["repositoryName"]).description[key] = params[key]
        return {**self._named(params), key: params[key]}

    def _named(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"registryId": self.context.account, "repositoryName": params["repositoryName"]}

    # Policies

    def put_lifecycle_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a lifecycle policy (AWS applies it within a day; here images stay)."""
        text = params["lifecyclePolicyText"]
        try:
            rules = json.loads(text)["rules"]
        except (ValueError, KeyError, TypeError) as error:
            raise AwsError("InvalidParameterException", f"Invalid lifecycle policy: {error}") from error
        if not rules:
            raise AwsError("InvalidParameterException", "Invalid lifecycle policy: no rules")
        self.repository(params["repositoryName"]).lifecycle_policy = text
        return {**self._named(params), "lifecyclePolicyText": text}

    def get_lifecycle_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the lifecycle policy."""
        text = self.repository(params["repositoryName"]).lifecycle_policy
        if text is None:
            raise AwsError(
                "LifecyclePolicyNotFoundException",
                f"Lifecycle policy does not exist for the repository with name "
                f"'{params['repositoryName']}' in the registry with id '{self.context.account}'",
            )
        return {**self._named(params), "lifecyclePolicyText": text}

    def delete_lifecycle_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Remove the lifecycle policy."""
        answer = self.get_lifecycle_policy(params)
        self.repository(params["repositoryName"]).lifecycle_policy = None
        return answer

    def set_repository_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a repository policy."""
        self.repository(params["repositoryName"]).policy = params["policyText"]
        return {**self._named(params), "policyText": params["policyText"]}

    def get_repository_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the repository policy."""
        text = self.repository(params["repositoryName"]).policy
        if text is None:
            raise AwsError(
                "RepositoryPolicyNotFoundException",
                f"Repository policy does not exist for the repository with name "
                f"'{params['repositoryName']}' in the registry with id '{self.context.account}'",
            )
        return {**self._named(params), "policyText": text}

    def delete_repository_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Remove the repository policy."""
        answer = self.get_repository_policy(params)
        self.repository(params["repositoryName"]).policy = None
        return answer

    # Images

    def list_images(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """List the images, once for each tag."""
        wanted = params.get("filter", {}).get("tagStatus", "ANY")
        found = []
        for digest, image in self.repository(params["repositoryName"]).images.items():
            if image.tags and wanted != "UNTAGGED":
                found += [{"imageDigest": digest, "imageTag": tag} for tag in sorted(image.tags)]
            elif not image.tags and wanted != "TAGGED":
                found.append({"imageDigest": digest})
        return {"imageIds": found}

    def describe_images(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Describe all images, or those that are named; raises ImageNotFoundException."""
        repository = self.repository(params["repositoryName"])
        wanted = params.get("imageIds")
        if wanted is None:
            digests = list(repository.images)
        else:
            digests = [self._digest(repository, image_id) for image_id in wanted]
        details = [self.images.describe(repository, digest, self._named(params)) for digest in digests]
        return {"imageDetails": details}

    def _digest(self, repository: Repository, image_id: Mapping[str, str]) -> str:
        digest = repository.find(image_id)
        if digest is None:
            raise AwsError(
                "ImageNotFoundException",
                f"The image with imageId {{imageDigest:'{image_id.get('imageDigest', 'null')}', imageTag:'"
                f"{image_id.get('imageTag', 'null')}'}} does not exist within the repository with name "
                f"'{repository.name}' in the registry with id '{self.context.account}'",
            )
        return digest

    def batch_get_image(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return manifests; what is not there is among the failures."""
        repository = self.repository(params["repositoryName"])
        found, failures = [], []
        for image_id in params["imageIds"]:
            digest = repository.find(image_id)
            if digest is None:
                failures.append(_not_found(image_id))
                continue
            image = repository.images[digest]
            found.append(
                {
                    **self._named(params),
                    "imageId": {**image_id, "imageDigest": digest},
                    "imageManifest": image.manifest.decode(),
                    "imageManifestMediaType": image.media_type,
                }
            )
        return {"images": found, "failures": failures}

    def batch_delete_image(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Delete images by digest, or tags: with its last tag an image goes too."""
        repository = self.repository(params["repositoryName"])
        deleted: list[dict[str, str]] = []
        failures: list[dict[str, Any]] = []
        for image_id in params["imageIds"]:
            gone = repository.delete(image_id)
            if gone:
                deleted += gone
            else:
                failures.append(_not_found(image_id))
        return {"imageIds": deleted, "failures": failures}

    # Tags of the repository

    def _by_arn(self, arn: str) -> Repository:
        return self.repository(arn.partition(":repository/")[2])

    def list_tags_for_resource(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a repository's tags."""
        tags = self._by_arn(params["resourceArn"]).tags
        return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, params: Mapping[str, Any]) -> None:
        """Add tags to a repository."""
        self._by_arn(params["resourceArn"]).tags.update({tag["Key"]: tag["Value"] for tag in params["tags"]})

    def untag_resource(self, params: Mapping[str, Any]) -> None:
        """Remove tags from a repository."""
        for key in params["tagKeys"]:
            self._by_arn(params["resourceArn"]).tags.pop(key, None)

    def resource_types(self) -> dict[str, ResourceType]:
        """Offer AWS::ECR::Repository to CloudFormation."""
        return EcrTypes(self).types()


def _not_found(image_id: Mapping[str, str]) -> dict[str, Any]:
    return {
        "imageId": dict(image_id),
        "failureCode": "ImageNotFound",
        "failureReason": "Requested image not found",
    }
