"""Who may and what only they can read: IAM, KMS, parameters."""

from collections.abc import Callable, Iterator, Mapping

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.ownership import Thing, flat


def roles(account: Account) -> Iterator[Thing]:
    """Yield the roles, except AWS's own service-linked ones."""
    for role in account.pages("iam", "list_roles", "Roles"):
        if not role["Path"].startswith("/aws-service-role/"):
            yield Thing("IAM role", role["RoleName"], flat(role.get("Tags")))


def policies(account: Account) -> Iterator[Thing]:
    """Yield the customer managed policies."""
    for policy in account.pages("iam", "list_policies", "Policies", Scope="Local"):
        yield Thing("IAM policy", policy["PolicyName"], flat(policy.get("Tags")))


def providers(account: Account) -> Iterator[Thing]:
    """Yield the OIDC providers; only their tags say whose they are (pitfall M3)."""
    for listed in account.pages("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList"):
        provider = account.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=listed["Arn"])
        yield Thing("OIDC provider", listed["Arn"].partition("/")[2], flat(provider.get("Tags")))


def keys(account: Account) -> Iterator[Thing]:
    """Yield the customer managed keys; AWS keeps a deleted one for seven days at least (pitfall H6)."""
    for listed in account.pages("kms", "list_keys", "Keys"):
        key = account.client("kms").describe_key(KeyId=listed["KeyId"])["KeyMetadata"]
        if key.get("KeyManager", "CUSTOMER") == "AWS":
            continue
        pending = key["KeyState"] == "PendingDeletion"
        note = f"AWS deletes it on {key['DeletionDate']:%Y-%m-%d}" if pending else key["KeyState"]
        said = (key.get("Description", ""),)
        yield Thing("KMS key", key["KeyId"], _key_tags(account, key["KeyId"]), said, note, not pending)


def _key_tags(account: Account, key: str) -> dict[str, str]:
    try:
        return flat(account.pages("kms", "list_resource_tags", "Tags", KeyId=key))
    except ClientError as error:
        # A key of somebody else in this account, whose policy keeps us out, is not ours to list.
        if code_of(error) == "AccessDeniedException":
            return {}
        raise


def aliases(account: Account) -> Iterator[Thing]:
    """Yield the keys' aliases, except AWS's own."""
    for alias in account.pages("kms", "list_aliases", "Aliases"):
        if not alias["AliasName"].startswith("alias/aws/"):
            yield Thing("KMS alias", alias["AliasName"])


def parameters(account: Account) -> Iterator[Thing]:
    """Yield the SSM parameters' names; a SecureString is not CloudFormation's to delete (pitfall F5)."""
    for found in account.pages("ssm", "describe_parameters", "Parameters"):
        yield Thing("SSM parameter", found["Name"], note=found["Type"])


KINDS: Mapping[str, Callable[[Account], Iterator[Thing]]] = {
    "IAM roles": roles,
    "IAM policies": policies,
    "OIDC providers": providers,
    "KMS keys": keys,
    "KMS aliases": aliases,
    "SSM parameters": parameters,
}
