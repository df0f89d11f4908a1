"""The CloudFormation type AWS::IAM::OIDCProvider, on MiniStack's IAM API."""

from typing import Any

from local_aws.core.api import AwsError
from local_aws.core.cloudformation import Properties, ResourceType
from local_aws.core.context import Context


def resource_types(context: Context) -> dict[str, ResourceType]:
    """Return the type. Its physical id is the provider's ARN, which contains the URL."""

    def create(props: Properties, _logical_id: str, _stack: str) -> tuple[str, dict[str, Any]]:
        iam = context.client("iam")
        try:
            created = iam.create_open_id_connect_provider(
                Url=props["Url"],
                ClientIDList=list(props.get("ClientIdList", [])),
                ThumbprintList=list(props.get("ThumbprintList", [])),
                Tags=[{"Key": tag["Key"], "Value": tag["Value"]} for tag in props.get("Tags", [])],
            )
        except iam.exceptions.EntityAlreadyExistsException as error:
            # pitfall M3, with AWS's message in place of MiniStack's.
            message = f"Provider with url {props['Url']} already exists."
            raise AwsError("EntityAlreadyExists", message) from error
        return created["OpenIDConnectProviderArn"], {"Arn": created["OpenIDConnectProviderArn"]}

    def update(physical_id: str, old: Properties, new: Properties) -> dict[str, Any]:
        # MiniStack has none of the API calls that update a provider.
        changed = ", ".join(sorted(key for key in {*old, *new} if old.get(key) != new.get(key)))
        message = f"local_aws cannot update AWS::IAM::OIDCProvider: {changed} of {physical_id}"
        raise AwsError("UnsupportedOperation", message, 501)

    def delete(physical_id: str, _props: Properties) -> None:
        iam = context.client("iam")
        try:
            iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=physical_id)
        except iam.exceptions.NoSuchEntityException:
            return

    return {"AWS::IAM::OIDCProvider": ResourceType(create, delete, update, frozenset({"Url"}))}
