"""An account has one OIDC provider for a URL: a stack creates it and deletes its own only."""

from unit_tests.local_aws.cloudformation_cloud import Cloud, template

URL = "https://token.actions.githubusercontent.com"
ARN = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
PROVIDER = {
    "Type": "AWS::IAM::OIDCProvider",
    "Url": URL,
    "ClientIdList": ["sts.amazonaws.com"],
    "Tags": [{"Key": "environment", "Value": "dev"}],
}


def providers(cloud: Cloud) -> list[str]:
    listed = cloud.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return [provider["Arn"] for provider in listed]


def test_a_stack_creates_and_deletes_the_provider(cloud: Cloud) -> None:
    assert cloud.create("first", template(P=PROVIDER)) == "CREATE_COMPLETE"
    assert cloud.physical("first", "P") == ARN
    found = cloud.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=ARN)
    assert found["ClientIDList"] == ["sts.amazonaws.com"]
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert tags["environment"] == "dev"
    assert tags["aws:cloudformation:stack-name"] == "first"
    assert cloud.delete("first") == "DELETE_COMPLETE"
    assert providers(cloud) == []


def test_a_second_environment_cannot_create_the_provider_and_does_not_delete_the_firsts(cloud: Cloud) -> None:
    """Pitfall M3: the app imports it by default."""
    assert cloud.create("one", template(P=PROVIDER)) == "CREATE_COMPLETE"
    assert cloud.create("two", template(P=PROVIDER)) == "ROLLBACK_COMPLETE"
    assert "already exists" in cloud.reasons("two")
    assert providers(cloud) == [ARN]
    assert cloud.delete("one") == "DELETE_COMPLETE"


def test_a_changed_provider_is_rejected_and_stays_as_it_was(cloud: Cloud) -> None:
    assert cloud.create("changed", template(P=PROVIDER)) == "CREATE_COMPLETE"
    body = template(P={**PROVIDER, "ClientIdList": ["somebody.example.com"]})
    assert cloud.update("changed", body) == "UPDATE_ROLLBACK_COMPLETE"
    assert "local_aws cannot update AWS::IAM::OIDCProvider: ClientIdList" in cloud.reasons("changed")
    assert cloud.delete("changed") == "DELETE_COMPLETE"
