"""The resources of IAM, KMS and the Parameter Store."""

from collections.abc import Callable, Iterator, Mapping

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.ownership import PROJECT, PROJECT_TAG, Resource, normalize_tags


def roles(account: Account) -> Iterator[Resource]:
    """Yield the roles, except AWS's own service-linked ones."""
    for role in account.pages("iam", "list_roles", "Roles"):
        if not role["Path"].startswith("/aws-service-role/"):
            yield Resource("IAM role", role["RoleName"], normalize_tags(role.get("Tags")))


def policies(account: Account) -> Iterator[Resource]:
    """Yield the customer managed policies."""
    for policy in account.pages("iam", "list_policies", "Policies", Scope="Local"):
        yield Resource("IAM policy", policy["PolicyName"], normalize_tags(policy.get("Tags")))


def providers(account: Account) -> Iterator[Resource]:
    """Yield the OIDC providers; only tags say which environment one belongs to (pitfall M3)."""
    for listed in account.pages("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList"):
        provider = account.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=listed["Arn"])
        yield Resource("OIDC provider", listed["Arn"].partition("/")[2], normalize_tags(provider.get("Tags")))


def keys(account: Account) -> Iterator[Resource]:
    """Yield the customer managed keys; AWS keeps a deleted one for at least seven days (pitfall H6)."""
    for listed in account.pages("kms", "list_keys", "Keys"):
        key = account.client("kms").describe_key(KeyId=listed["KeyId"])["KeyMetadata"]
        if key.get("KeyManager", "CUSTOMER") == "AWS":
            continue
        pending = key["KeyState"] == "PendingDeletion"
        note = f"AWS deletes it on {key['DeletionDate']:%Y-%m-%d}" if pending else key["KeyState"]
        description = (key.get("Description", ""),)
        yield Resource(
            "KMS key", key["KeyId"], _key_tags(account, key["KeyId"]), description, note, not pending
        )


def _key_tags(account: Account, key: str) -> dict[str, str]:
    try:
        return normalize_tags(account.pages("kms", "list_resource_tags", "Tags", KeyId=key))
    except ClientError as error:
        # A key whose policy denies access to its tags is not one of ours.
        if code_of(error) == "AccessDeniedException":
            return {}
        raise


def aliases(account: Account) -> Iterator[Resource]:
    """Yield the aliases of keys, except those of AWS."""
    for alias in account.pages("kms", "list_aliases", "Aliases"):
        if not alias["AliasName"].startswith("alias/aws/"):
            yield Resource("KMS alias", alias["AliasName"])


def parameters(account: Account) -> Iterator[Resource]:
    """Yield the SSM parameters; CloudFormation does not delete a SecureString (pitfall F5).

    Only of those with the tag of this app, the tags are read.
    """
    ours = [{"Key": f"tag:{PROJECT_TAG}", "Values": [PROJECT]}]
    filtered = account.pages("ssm", "describe_parameters", "Parameters", ParameterFilters=ours)
    tagged = {one["Name"] for one in filtered}
    for found in account.pages("ssm", "describe_parameters", "Parameters"):
        name = found["Name"]
        yield Resource(
            "SSM parameter",
            name,
            _parameter_tags(account, name) if name in tagged else {},
            note=found["Type"],
        )


def _parameter_tags(account: Account, name: str) -> dict[str, str]:
    ssm = account.client("ssm")
    return normalize_tags(ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"])


KINDS: Mapping[str, Callable[[Account], Iterator[Resource]]] = {
    "IAM roles": roles,
    "IAM policies": policies,
    "OIDC providers": providers,
    "KMS keys": keys,
    "KMS aliases": aliases,
    "SSM parameters": parameters,
}
