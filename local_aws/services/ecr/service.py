"""Elastic Container Registry: the API of repositories, images and their policies.

It replaces MiniStack's ECR, whose registry serves the manifests of deleted repositories, accepts manifests
whose layers do not exist and needs no login, and whose DescribeImages omits failures.
"""

import base64
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from botocore.model import OperationModel

from local_aws.core.api import CALLER, Counts, now
from local_aws.core.cloudformation import ResourceType
from local_aws.core.conformance import declares
from local_aws.core.context import Context
from local_aws.services.ecr import errors
from local_aws.services.ecr.image_api import ImageApi
from local_aws.services.ecr.layer_api import LayerApi
from local_aws.services.ecr.lifecycle import parse_policy
from local_aws.services.ecr.records import ImageRepository, Login, PlantedFinding
from local_aws.services.ecr.registry import RegistryApi
from local_aws.services.ecr.resource_types import EcrResourceTypes
from local_aws.services.ecr.serializers import RepositoryName
from local_aws.services.ecr.validation import (
    EXCLUSION,
    check_arn,
    check_key,
    check_mutability,
    check_policy,
    check_tags,
)

TOKEN_SECONDS = 12 * 3600


class Ecr(ImageApi, LayerApi):
    """The private registry of one account and region."""

    counts: ClassVar[Counts] = {
        "CreateRepository": lambda own, _: len(own.repositories),
        "PutImage": lambda own, params: len(own.repository(params["repositoryName"]).images),
        "UploadLayerPart": lambda own, params: len(own.parts.get(params["uploadId"], [])),
    }

    def __init__(
        self,
        context: Context,
        logins: dict[str, Login] | None = None,
        planted: Sequence[PlantedFinding] = (),
    ) -> None:
        super().__init__(context, logins, planted)
        self.registry = RegistryApi(self)

    def check_resources(self, operation: OperationModel, params: Mapping[str, Any]) -> None:
        """Refuse a repository whose key AWS could not use."""
        if not declares(operation, "KmsException"):
            return
        check_key(self.context, params.get("encryptionConfiguration", {}))
        repository = self.repositories.get(params["repositoryName"])
        if repository is not None:
            check_key(self.context, repository.description["encryptionConfiguration"])

    # Logins

    def get_authorization_token(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Make a password for `docker login`, good for twelve hours."""
        token = secrets.token_urlsafe(48)
        login = self.logins[token] = Login(CALLER.get(), time.time() + TOKEN_SECONDS)
        host = f"{self.context.account}.dkr.ecr.{self.context.region}.amazonaws.com"
        data = {
            "authorizationToken": base64.b64encode(f"AWS:{token}".encode()).decode(),
            "expiresAt": now().fromtimestamp(login.expires, now().tzinfo),
            "proxyEndpoint": f"https://{host}",
        }
        return {"authorizationData": [data]}

    def policy_of(self, arn: str) -> str | None:
        """Return the policy of a repository by its ARN."""
        found = self.repositories.get(arn.partition(":repository/")[2])
        return found.policy if found is not None else None

    # Repositories

    def create_repository(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Create an empty repository."""
        name = params["repositoryName"]
        check_mutability(params)
        check_tags(params.get("tags", []))
        if name in self.repositories:
            raise errors.repository_exists(name, self.context.account)
        description = {
            "repositoryArn": self.context.arn("ecr", f"repository/{name}"),
            "registryId": self.context.account,
            "repositoryName": name,
            "repositoryUri": f"{self.context.account}.dkr.ecr.{self.context.region}.amazonaws.com/{name}",
            "createdAt": now(),
            "imageTagMutability": params.get("imageTagMutability", "MUTABLE"),
            **{name: params[name] for name in (EXCLUSION,) if name in params},
            "imageScanningConfiguration": {
                "scanOnPush": False,
                **params.get("imageScanningConfiguration", {}),
            },
            "encryptionConfiguration": params.get("encryptionConfiguration", {"encryptionType": "AES256"}),
        }
        tags = {tag["Key"]: tag["Value"] for tag in params.get("tags", [])}
        self.repositories[name] = ImageRepository(description, tags)
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
            raise errors.repository_not_empty(name, self.context.account)
        del self.repositories[name]
        self.blobs.delete(name)
        return {"repository": repository.description}

    def put_image_tag_mutability(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Set whether tags can move."""
        check_mutability(params)
        description = self.repository(params["repositoryName"]).description
        description.pop(EXCLUSION, None)
        given = {name: params[name] for name in ("imageTagMutability", EXCLUSION) if name in params}
        description.update(given)
        return {**self._named(params), **given}

    def put_image_scanning_configuration(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Set whether a scan starts with a push."""
        key = "imageScanningConfiguration"
        self.repository(params["repositoryName"]).description[key] = params[key]
        return {**self._named(params), key: params[key]}

    def _named(self, params: Mapping[str, Any]) -> RepositoryName:
        return {"registryId": self.context.account, "repositoryName": params["repositoryName"]}

    # Policies

    def put_lifecycle_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Store a lifecycle policy and apply it."""
        text = params["lifecyclePolicyText"]
        parse_policy(text)
        repository = self.repository(params["repositoryName"])
        repository.lifecycle_policy = text
        self.expire(repository)
        return {**self._named(params), "lifecyclePolicyText": text}

    def get_lifecycle_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the lifecycle policy."""
        text = self.repository(params["repositoryName"]).lifecycle_policy
        if text is None:
            raise errors.lifecycle_policy_not_found(params["repositoryName"], self.context.account)
        return {**self._named(params), "lifecyclePolicyText": text}

    def delete_lifecycle_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Remove the lifecycle policy."""
        answer = self.get_lifecycle_policy(params)
        self.repository(params["repositoryName"]).lifecycle_policy = None
        return answer

    def set_repository_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Store a repository policy."""
        check_policy(params["policyText"])
        self.repository(params["repositoryName"]).policy = params["policyText"]
        return {**self._named(params), "policyText": params["policyText"]}

    def get_repository_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the repository policy."""
        text = self.repository(params["repositoryName"]).policy
        if text is None:
            raise errors.repository_policy_not_found(params["repositoryName"], self.context.account)
        return {**self._named(params), "policyText": text}

    def delete_repository_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Remove the repository policy."""
        answer = self.get_repository_policy(params)
        self.repository(params["repositoryName"]).policy = None
        return answer

    # Tags of the repository

    def _by_arn(self, arn: str) -> ImageRepository:
        check_arn(arn)
        return self.repository(arn.partition(":repository/")[2])

    def list_tags_for_resource(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a repository's tags."""
        tags = self._by_arn(params["resourceArn"]).tags
        return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, params: Mapping[str, Any]) -> None:
        """Add tags to a repository."""
        repository = self._by_arn(params["resourceArn"])
        check_tags(params["tags"], repository.tags)
        repository.tags.update({tag["Key"]: tag["Value"] for tag in params["tags"]})

    def untag_resource(self, params: Mapping[str, Any]) -> None:
        """Remove tags from a repository."""
        for key in params["tagKeys"]:
            self._by_arn(params["resourceArn"]).tags.pop(key, None)

    def resource_types(self) -> dict[str, ResourceType]:
        """Return the CloudFormation resource type."""
        return EcrResourceTypes(self).types()
