"""Two accounts in one local_aws: each has its own resources, and cross-account access needs both policies."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.daemon import ServerHandle, start

FIRST, SECOND = "123456789012", "222222222222"


class Clients:
    """The clients of a server's two accounts, by their owners' keys or by a role's."""

    def __init__(self, server: ServerHandle) -> None:
        self.server = server

    def of(self, account: str, service: str, keys: dict[str, str] | None = None) -> Any:
        given = keys or {"AccessKeyId": account, "SecretAccessKey": self.server.secret}
        return boto3.client(
            service,
            endpoint_url=self.server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given.get("SessionToken"),
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def role(self, account: str, name: str, trusted: str, *statements: dict[str, Any]) -> str:
        trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
        iam = self.of(account, "iam")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(*statements))
        return str(made["Role"]["Arn"])

    def acting(self, arn: str, account: str) -> dict[str, str]:
        given: dict[str, str] = self.of(account, "sts").assume_role(RoleArn=arn, RoleSessionName="test")[
            "Credentials"
        ]
        return given


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _code(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    server = start(tmp_path_factory.mktemp("state"))
    yield Clients(server)
    assert server.stop() == []


def test_two_accounts_can_use_the_same_name(clients: Clients) -> None:
    for account in (FIRST, SECOND):
        made = clients.of(account, "ecs").create_cluster(clusterName="cluster-dev")["cluster"]
        assert made["clusterArn"] == f"arn:aws:ecs:us-east-1:{account}:cluster/cluster-dev"
        repository = clients.of(account, "ecr").create_repository(repositoryName="images-dev")["repository"]
        assert repository["repositoryUri"].startswith(f"{account}.dkr.ecr.")
    clients.of(FIRST, "ecs").delete_cluster(cluster="cluster-dev")
    assert clients.of(FIRST, "ecs").list_clusters()["clusterArns"] == []
    assert len(clients.of(SECOND, "ecs").list_clusters()["clusterArns"]) == 1


def test_a_stack_creates_its_resources_in_its_own_account(clients: Clients) -> None:
    template = {
        "Resources": {"R": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "of-stack"}}}
    }
    cloudformation = clients.of(SECOND, "cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 0.2})
    assert clients.of(SECOND, "ecr").describe_repositories(repositoryNames=["of-stack"])["repositories"]
    assert _code(clients.of(FIRST, "ecr").describe_repositories, repositoryNames=["of-stack"]) == (
        "RepositoryNotFoundException"
    )
    cloudformation.delete_stack(StackName="s")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 0.2})
    assert _code(clients.of(SECOND, "ecr").describe_repositories, repositoryNames=["of-stack"]) == (
        "RepositoryNotFoundException"
    )


def test_a_role_is_assumed_across_accounts_when_both_policies_allow(clients: Clients) -> None:
    there = clients.role(SECOND, "there", f"arn:aws:iam::{FIRST}:root")
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": there}
    trusted = clients.acting(clients.role(FIRST, "may", f"arn:aws:iam::{FIRST}:root", may), FIRST)
    other = clients.acting(clients.role(FIRST, "may-not", f"arn:aws:iam::{FIRST}:root"), FIRST)
    given = clients.of(FIRST, "sts", trusted).assume_role(RoleArn=there, RoleSessionName="test")[
        "Credentials"
    ]
    assert clients.of(FIRST, "sts", given).get_caller_identity()["Account"] == SECOND
    asking = clients.of(FIRST, "sts", other).assume_role
    assert _code(asking, RoleArn=there, RoleSessionName="test") == "AccessDenied"


def test_a_role_that_does_not_trust_the_other_account_denies_its_root_user(clients: Clients) -> None:
    closed = clients.role(SECOND, "closed", f"arn:aws:iam::{SECOND}:root")
    asking = clients.of(FIRST, "sts").assume_role
    assert _code(asking, RoleArn=closed, RoleSessionName="test") == "AccessDenied"


def test_a_bucket_of_another_account_needs_both_policies(clients: Clients) -> None:
    s3 = clients.of(FIRST, "s3")
    s3.create_bucket(Bucket="artifacts-of-first")
    s3.put_object(Bucket="artifacts-of-first", Key="k", Body=b"x")
    reads = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::artifacts-of-first/*"}
    reader = clients.role(SECOND, "reader", f"arn:aws:iam::{SECOND}:root", reads)
    idle = clients.role(SECOND, "idle", f"arn:aws:iam::{SECOND}:root")
    reading = clients.of(SECOND, "s3", clients.acting(reader, SECOND)).get_object
    idling = clients.of(SECOND, "s3", clients.acting(idle, SECOND)).get_object
    what = {"Bucket": "artifacts-of-first", "Key": "k"}
    assert _code(reading, **what) == "AccessDenied"
    opened = {**reads, "Principal": {"AWS": f"arn:aws:iam::{SECOND}:root"}}
    s3.put_bucket_policy(Bucket="artifacts-of-first", Policy=_document(opened))
    assert reading(**what)["Body"].read() == b"x"
    assert _code(idling, **what) == "AccessDenied"


def test_the_root_user_of_one_account_has_no_access_to_the_other(clients: Clients) -> None:
    clients.of(FIRST, "s3").create_bucket(Bucket="closed-of-first")
    clients.of(FIRST, "s3").put_object(Bucket="closed-of-first", Key="k", Body=b"x")
    assert _code(clients.of(SECOND, "s3").get_object, Bucket="closed-of-first", Key="k") == "AccessDenied"
    clients.of(FIRST, "ecr").create_repository(repositoryName="closed")
    listing = clients.of(SECOND, "ecr").list_images
    assert _code(listing, registryId=FIRST, repositoryName="closed") == "AccessDeniedException"


def test_a_repository_policy_allows_another_account(clients: Clients) -> None:
    ecr = clients.of(FIRST, "ecr")
    ecr.create_repository(repositoryName="shared")
    pulls = {
        "Effect": "Allow",
        "Action": "ecr:BatchGetImage",
        "Resource": f"arn:aws:ecr:us-east-1:{FIRST}:repository/shared",
    }
    role = clients.role(SECOND, "pulls", f"arn:aws:iam::{SECOND}:root", pulls)
    asking = clients.of(SECOND, "ecr", clients.acting(role, SECOND)).batch_get_image
    what: dict[str, Any] = {"registryId": FIRST, "repositoryName": "shared", "imageIds": [{"imageTag": "a"}]}
    assert _code(asking, **what) == "AccessDeniedException"
    opened = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{SECOND}:root"},
        "Action": "ecr:BatchGetImage",
    }
    ecr.set_repository_policy(repositoryName="shared", policyText=_document(opened))
    assert asking(**what)["failures"][0]["failureCode"] == "ImageNotFound"


def cloned(clients: Clients, url: str, target: Path, account: str) -> "subprocess.CompletedProcess[str]":
    """Clone with the credentials of an account's root user."""
    environment = {**os.environ, **clients.server.variables(account), "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "clone", "--quiet", url, str(target)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def test_git_finds_a_repository_in_any_account_and_admits_its_owner(clients: Clients, tmp_path: Path) -> None:
    made = clients.of(SECOND, "codecommit").create_repository(repositoryName="of-second")[
        "repositoryMetadata"
    ]
    url = made["cloneUrlHttp"]
    assert cloned(clients, url, tmp_path / "c", SECOND).returncode == 0
    assert (tmp_path / "c/.git").is_dir()
    assert "The requested URL returned error: 403" in cloned(clients, url, tmp_path / "d", FIRST).stderr
