"""CloudFormation's AWS::ECR::Repository."""

import json
import secrets
from typing import Any

from local_aws.core.api import AwsError
from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.services.ecr.state import EcrState
from local_aws.services.ecr.validation import EXCLUSION, check_mutability

_SET_AFTER_CREATE = ("LifecyclePolicy", "RepositoryPolicyText", "EmptyOnDelete")


class EcrResourceTypes:
    """The handler of AWS::ECR::Repository."""

    def __init__(self, ecr: EcrState) -> None:
        self.ecr = ecr

    def types(self) -> dict[str, ResourceType]:
        """Return the type by name."""
        replaced = frozenset({"RepositoryName", "EncryptionConfiguration"})
        return {"AWS::ECR::Repository": ResourceType(self._create, self._delete, self._update, replaced)}

    def _create(self, properties: Properties, logical_id: str, stack: str) -> tuple[str, dict[str, Any]]:
        name = properties.get("RepositoryName") or f"{stack}-{logical_id}-{secrets.token_hex(6)}".lower()
        own = {key: value for key, value in properties.items() if key not in _SET_AFTER_CREATE}
        given = arguments("ecr", "CreateRepository", {**own, "RepositoryName": name})
        created = self.ecr.call("CreateRepository", given)["repository"]
        try:
            self._put_policies(name, {}, properties)
        except AwsError:
            # CloudFormation has no physical id of a create that failed, so it cannot delete the repository.
            self.ecr.call("DeleteRepository", {"repositoryName": name})
            raise
        return name, {"Arn": created["repositoryArn"], "RepositoryUri": created["repositoryUri"]}

    def _put_policies(self, name: str, old: Properties, new: Properties) -> None:
        text = (new.get("LifecyclePolicy") or {}).get("LifecyclePolicyText")
        if text:
            self.ecr.call("PutLifecyclePolicy", {"repositoryName": name, "lifecyclePolicyText": text})
        elif old.get("LifecyclePolicy"):
            self.ecr.call("DeleteLifecyclePolicy", {"repositoryName": name})
        policy = new.get("RepositoryPolicyText")
        if policy:
            text = policy if isinstance(policy, str) else json.dumps(policy)
            self.ecr.call("SetRepositoryPolicy", {"repositoryName": name, "policyText": text})
        elif old.get("RepositoryPolicyText"):
            self.ecr.call("DeleteRepositoryPolicy", {"repositoryName": name})

    def _update(self, name: str, old: Properties, new: Properties) -> dict[str, Any]:
        own = {key: value for key, value in new.items() if key not in _SET_AFTER_CREATE}
        given = arguments("ecr", "CreateRepository", {**own, "RepositoryName": name})
        with self.ecr.lock:
            repository = self.ecr.repository(name)
            description = repository.description
            check_mutability(given)
            description["imageTagMutability"] = given.get("imageTagMutability", "MUTABLE")
            description.pop(EXCLUSION, None)
            description.update({name: given[name] for name in (EXCLUSION,) if name in given})
            scanning = given.get("imageScanningConfiguration", {})
            description["imageScanningConfiguration"] = {"scanOnPush": False, **scanning}
            for tag in old.get("Tags") or []:
                repository.tags.pop(tag["Key"], None)
            repository.tags.update({tag["Key"]: tag["Value"] for tag in given.get("tags", [])})
        self._put_policies(name, old, new)
        return {"Arn": description["repositoryArn"], "RepositoryUri": description["repositoryUri"]}

    def _delete(self, name: str, properties: Properties) -> None:
        force = str(properties.get("EmptyOnDelete", False)).lower() == "true"
        if name in self.ecr.repositories:
            self.ecr.call("DeleteRepository", {"repositoryName": name, "force": force})
