"""The inventory against the APIs of local_aws: each leftover that the test creates is found."""

from collections.abc import Iterator

import pytest

from operations import leftovers
from operations.__main__ import main
from operations.account import Account
from operations.inventory import KINDS
from operations.ownership import Ownership
from operations.stored_variables import owned
from unit_tests.operations.leftover_resources import LEFTOVERS, tags
from unit_tests.operations.running_account import running_account


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One server per module, because its start is slow."""
    with running_account(tmp_path_factory.mktemp("local_aws")) as account:
        yield account


def signed_in(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the command the credentials of this account."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", str(account.endpoint))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", account.id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", account.session.get_credentials().secret_key)
    monkeypatch.setenv("COLUMNS", "200")


def test_every_kind_has_a_leftover() -> None:
    assert set(LEFTOVERS) == set(KINDS)


def test_the_command_exits_with_0_before_a_leftover_exists(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(account, monkeypatch)
    assert main(["leftovers", "orphan"]) == 0


@pytest.mark.parametrize("kind", LEFTOVERS)
def test_a_leftover_is_found(account: Account, kind: str) -> None:
    owns = Ownership("orphan").owns
    before = [resource.name for resource in KINDS[kind](account) if owns(resource)]
    LEFTOVERS[kind](account)
    after = [resource for resource in KINDS[kind](account) if owns(resource) and resource.remains]
    assert len(after) == len(before) + 1, f"before {before}, after {after}"


def test_the_command_lists_the_leftovers_and_exits_with_1(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signed_in(account, monkeypatch)
    account.client("ecs").create_cluster(clusterName="cluster-orphan")
    assert main(["leftovers", "orphan"]) == 1
    assert "cluster-orphan" in capsys.readouterr().out


def test_a_key_that_is_pending_deletion_is_listed_and_does_not_remain(account: Account) -> None:
    kms = account.client("kms")
    key = kms.create_key(Tags=tags("TagKey", "TagValue"))["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    found = {resource.name: resource for resource in KINDS["KMS keys"](account)}[key]
    assert not found.remains
    assert "AWS deletes it on 20" in found.note


def test_an_imported_oidc_provider_belongs_to_no_environment(account: Account) -> None:
    """Most environments import it, so it is not a leftover of one (pitfall M3)."""
    account.client("iam").create_open_id_connect_provider(Url="https://orphan.example.com")
    found = {resource.name: resource for resource in KINDS["OIDC providers"](account)}
    imported = next(resource for name, resource in found.items() if name.endswith("orphan.example.com"))
    assert not Ownership("orphan").owns(imported)


def test_a_parameter_outside_of_our_names_is_found_by_its_tags_alone(account: Account) -> None:
    """It is called as `/dev/API_KEY` of somebody else."""
    ssm = account.client("ssm")
    ssm.put_parameter(Name="/orphan/SOMEBODYS", Value="x", Type="String")
    ssm.put_parameter(Name="/orphan/API_KEY", Value="x", Type="SecureString", Tags=tags())
    found = [one.name for one in leftovers.find("orphan", account).remaining if one.kind == "SSM parameter"]
    assert "/orphan/API_KEY" in found
    assert "/orphan/SOMEBODYS" not in found
    assert list(owned("orphan", account)) == ["/orphan/API_KEY"], "what destroy deletes"
    ssm.delete_parameters(Names=["/orphan/API_KEY", "/orphan/SOMEBODYS"])


def test_a_bucket_with_only_old_versions_holds_objects(account: Account) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="versions-orphan")
    s3.put_bucket_versioning(Bucket="versions-orphan", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="versions-orphan", Key="a", Body=b"a")
    s3.delete_object(Bucket="versions-orphan", Key="a")
    found = {resource.name: resource for resource in KINDS["S3 buckets"](account)}["versions-orphan"]
    assert found.note == "holds objects"


def test_every_kind_can_be_listed(account: Account) -> None:
    for kind, find in KINDS.items():
        assert isinstance(list(find(account)), list), kind
